import kafkajs from 'kafkajs';
import type { Connection } from '../../core/connection.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import type { PrincipalName } from '../../security/principals/names.ts';

/** One topic, as the broker has it. */
export interface TopicRow {
  readonly name: string;
  readonly partitions: number;
  /** Records that stand in it now. */
  readonly records: number;
  readonly retention: string;
  readonly timestamps: string;
  readonly largestBatch: string;
}

const DAY = 86_400_000;

/** Every topic that the principal may see, without Kafka's own. */
export async function listTopics(connection: Connection, principal: PrincipalName): Promise<readonly TopicRow[]> {
  const admin = kafkaClient(connection, principal).admin();
  try {
    await admin.connect();
    const names = (await admin.listTopics()).filter((name) => !name.startsWith('__')).sort();
    if (names.length === 0) return [];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
    return await Promise.all(
      names.map(async (name) => {
        const offsets = await admin.fetchTopicOffsets(name);
        const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
        const setting = (key: string): string =>
          entries.find(({ configName }) => configName === key)?.configValue ?? '';
        return {
          name,
          partitions: offsets.length,
          records: offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0),
          retention: retentionText(Number(setting('retention.ms'))),
          timestamps: setting('message.timestamp.type'),
          largestBatch: `${setting('max.message.bytes')} B`,
        };
      }),
    );
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function retentionText(milliseconds: number): string {
  return milliseconds < 0 ? 'unlimited' : `${Math.round(milliseconds / DAY)} d`;
}
