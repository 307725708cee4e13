import type { Kafka } from 'kafkajs';
import { sleep } from '../../../core/clock.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { asKafkaError } from '../../../security/connect/kafka/kafka.ts';
import type { FilledPartition } from './fill-topic.ts';

const JOIN_TIMEOUT_MILLISECONDS = 60_000;
const SESSION_TIMEOUT = 10_000;
/** Leaving the group waits for the fetch that is under way: kafkajs would have it take five seconds. */
const FETCH_WAIT = 100;

/**
 * Commits, as a member of a worker's group, where it is to go on, with the incarnation that the worker keeps as the
 * commit's metadata. No worker of the group may run. Throws KAFKA_UNREACHABLE after a minute in vain, KAFKA_REFUSED.
 */
export async function commitOffsets(
  kafka: Kafka,
  groupId: string,
  topic: string,
  partitions: readonly FilledPartition[],
): Promise<void> {
  const offsets = partitions
    // Of an empty partition there is nothing to pass over: the worker begins it as it begins any new one.
    .filter(({ next }) => next > 0)
    .map(({ partition, next, incarnation }) => ({ topic, partition, offset: String(next), metadata: incarnation }));
  if (offsets.length === 0) return;
  const consumer = kafka.consumer({
    ...{ groupId, sessionTimeout: SESSION_TIMEOUT, maxWaitTimeInMs: FETCH_WAIT, allowAutoTopicCreation: false },
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
  const { promise: joined, resolve, reject } = Promise.withResolvers<boolean>();
  joined.catch(() => undefined);
  consumer.on(consumer.events.GROUP_JOIN, () => resolve(true));
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  const over = new AbortController();
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() });
    // Nothing is to be read here.
    consumer.pause([{ topic }]);
    const late = sleep(JOIN_TIMEOUT_MILLISECONDS, over.signal).then(() => false);
    if (!(await Promise.race([joined, late])))
      throw new WardlineError('KAFKA_UNREACHABLE', `the consumer group ${groupId} could not be joined in a minute`);
    await consumer.commitOffsets(offsets);
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    over.abort();
    await consumer.disconnect().catch(() => undefined);
  }
}
