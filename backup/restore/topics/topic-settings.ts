import kafkajs, { type Admin } from 'kafkajs';
import { sleep } from '../../../core/clock.ts';
import { createTopics } from '../../../security/connect/kafka/create-topics.ts';
import { asKafkaError } from '../../../security/connect/kafka/kafka.ts';
import type { Manifest } from '../../manifest/manifest.ts';

type Topic = Manifest['kafka']['topics'][number];

const TIMESTAMP_TYPE = 'message.timestamp.type';
const OWN_TIMES = 'CreateTime';
const MOMENT_MILLISECONDS = 200;
const PATIENCE_MILLISECONDS = 15_000;

/**
 * Makes a topic of a backup with its partitions and settings, or gives them back to one that is there. Needs the
 * operator's rights. Does no harm when called again.
 */
export async function ensureTopic(admin: Admin, topic: Topic): Promise<void> {
  try {
    const existing = (await admin.listTopics()).includes(topic.name);
    if (!existing)
      await createTopics(admin, [
        {
          topic: topic.name,
          numPartitions: topic.partitions.length,
          replicationFactor: topic.replicationFactor,
          configEntries: entriesOf(topic.configuration),
        },
      ]);
    else await setConfiguration(admin, topic.name, topic.configuration);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic.name] });
    const partitions = topics[0]?.partitions.length ?? 0;
    if (partitions < topic.partitions.length)
      await admin.createPartitions({
        topicPartitions: [{ topic: topic.name, count: topic.partitions.length }],
      });
  } catch (error) {
    throw asKafkaError(error);
  }
}

/**
 * Has a topic take each message's own time of append while it is filled again, so that nothing outlives its retention by
 * having been lost; afterwards the broker stamps as before. Where `fill` is cut short, ensureTopic puts that right.
 */
export async function withOwnTimes<T>(admin: Admin, topic: Topic, fill: () => Promise<T>): Promise<T> {
  try {
    await setConfiguration(admin, topic.name, { ...topic.configuration, [TIMESTAMP_TYPE]: OWN_TIMES });
    await whenInForce(admin, topic.name);
  } catch (error) {
    throw asKafkaError(error);
  }
  try {
    return await fill();
  } finally {
    await setConfiguration(admin, topic.name, topic.configuration);
  }
}

/** The broker answers before it acts on a setting; what it shows to have, it acts on a moment later. */
async function whenInForce(admin: Admin, name: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  const isInForce = async (): Promise<boolean> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: [TIMESTAMP_TYPE] }],
    });
    return resources[0]?.configEntries.some(({ configValue }) => configValue === OWN_TIMES) === true;
  };
  while (!(await isInForce()) && Date.now() < deadline) await sleep(MOMENT_MILLISECONDS);
  await sleep(MOMENT_MILLISECONDS);
}

/** The request replaces all settings of a topic; these are all. */
async function setConfiguration(
  admin: Admin,
  name: string,
  configuration: Readonly<Record<string, string>>,
): Promise<void> {
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries: entriesOf(configuration) }],
  });
}

function entriesOf(configuration: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(configuration).map(([name, value]) => ({ name, value }));
}
