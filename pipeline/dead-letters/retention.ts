import kafkajs, { type Kafka } from 'kafkajs';
import { asKafkaError } from '../../security/connect/kafka/kafka-errors.ts';

const DEAD_LETTER_TOPIC = /\.dead-letters$/;
const RETENTION = 'retention.ms';

/**
 * For how many milliseconds Kafka keeps a dead letter at most: the longest retention of all dead-letter topics that there
 * are, Infinity where one keeps them for ever. Undefined where there is no such topic. Needs DESCRIBE_CONFIGS on them.
 */
export async function longestLetterRetention(kafka: Pick<Kafka, 'admin'>): Promise<number | undefined> {
  const admin = kafka.admin({ retry: { retries: 1 } });
  try {
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => DEAD_LETTER_TOPIC.test(topic));
    if (topics.length === 0) return undefined;
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: [RETENTION],
      })),
    });
    const retentions = resources.map(({ configEntries }) => {
      const milliseconds = Number(configEntries.find(({ configName }) => configName === RETENTION)?.configValue);
      // What cannot be read is taken for the longest: a key too many is better than a letter that nobody can open.
      return Number.isSafeInteger(milliseconds) && milliseconds >= 0 ? milliseconds : Infinity;
    });
    return retentions.length === topics.length ? Math.max(...retentions) : Infinity;
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect();
  }
}
