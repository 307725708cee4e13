import type { Kafka, KafkaMessage } from 'kafkajs';
import { createQueue } from '../../core/async/queue.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';

/** A message with its place. */
export interface PlacedMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly message: KafkaMessage;
}

const QUEUE_LIMIT = 200;
/** How long the broker holds a fetch that finds nothing, in milliseconds. */
const FETCH_WAIT = 200;

/**
 * Reads a topic from its first record to the records that stand in it now, each partition in order, and commits nothing.
 * Memory is bounded: the next fetch waits for the reader. kafkajs asks for a group even so; `groupId` is one that the
 * principal may use.
 */
export async function* readTopic(
  kafka: Kafka,
  topic: string,
  groupId: string,
  signal?: AbortSignal,
): AsyncGenerator<PlacedMessage> {
  const ends = await endsOf(kafka, topic);
  if (ends.size === 0) return;
  const queue = createQueue<PlacedMessage>(QUEUE_LIMIT);
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: FETCH_WAIT,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => queue.end(asKafkaError(payload.error)));
  const stop = (): void => queue.end();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: async (payload) => {
        const { batch } = payload;
        for (const message of batch.messages) {
          const offset = BigInt(message.offset);
          const range = ends.get(batch.partition);
          if (range === undefined || offset >= range.end) continue;
          await queue.push({ partition: batch.partition, offset, message });
          await payload.heartbeat();
          if (offset + 1n >= range.end) ends.delete(batch.partition);
        }
        if (ends.size === 0) queue.end();
      },
    });
    for (const [partition, { first }] of ends) consumer.seek({ topic, partition, offset: String(first) });
    yield* queue;
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    signal?.removeEventListener('abort', stop);
    queue.end();
    await consumer.disconnect().catch(() => undefined);
  }
}

/** First offset and end of every partition that holds anything. */
async function endsOf(kafka: Kafka, topic: string): Promise<Map<number, { first: bigint; end: bigint }>> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    const ranges = offsets.map(
      ({ partition, low, high }) => [partition, { first: BigInt(low), end: BigInt(high) }] as const,
    );
    return new Map(ranges.filter(([, { first, end }]) => end > first));
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
