import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs';
import { sleep } from '../../../core/clock.ts';

const PATIENCE_MILLISECONDS = 30_000;
const MOMENT_MILLISECONDS = 100;
/** What Kafka says of a partition that has none yet. */
const NO_LEADER = -1;

/**
 * Makes topics, and resolves when each of their partitions has a leader; where another process was first, too. Kafka's own
 * error leaves it. The client's own wait for leaders ends at once where the broker that it asks has not yet heard of the
 * topic, which the controller has just made.
 */
export async function createTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [...topics] });
  const names = topics.map(({ topic }) => topic);
  for (const deadline = Date.now() + PATIENCE_MILLISECONDS; ;) {
    try {
      const { topics: known } = await admin.fetchTopicMetadata({ topics: names });
      const partitions = known.flatMap((topic) => topic.partitions);
      if (known.length === names.length && partitions.every(({ leader }) => leader !== NO_LEADER)) return;
      if (Date.now() > deadline) throw new kafkajs.KafkaJSError(`Kafka has found no leader for ${names.join(', ')}`);
    } catch (error) {
      if (!mayPass(error) || Date.now() > deadline) throw error;
    }
    await sleep(MOMENT_MILLISECONDS);
  }
}

/** Also where the client has tried often enough: it does not ask for as long as we wait. */
function mayPass(error: unknown): boolean {
  if (error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded) return true;
  return error instanceof kafkajs.KafkaJSError && error.retriable;
}
