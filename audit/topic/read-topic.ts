import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import { ownGroup, type PrincipalName } from '../../security/principals/names.ts';

/** Who reads, and with which client. */
export interface TopicReader {
  readonly kafka: Kafka;
  readonly principal: PrincipalName;
}

/** The offsets of a topic's one partition: the first that is there, and the one after the last. */
export interface TopicBounds {
  readonly low: number;
  readonly high: number;
}

/** Kafka's code for a topic that is not there, as kafkajs names it. */
const NO_SUCH_TOPIC = /does not host this topic-partition|UNKNOWN_TOPIC/;
const FETCH_WAIT = 200;
/** What is fetched at once is in memory several times over. */
const FETCH_BYTES = 1024 * 1024;

/** The bounds of a partition, 0 unless told otherwise, or undefined where there is no such topic. */
export async function topicBounds(
  { kafka }: TopicReader,
  topic: string,
  partition = 0,
): Promise<TopicBounds | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(topic)) {
      await requireAbsence(kafka, topic);
      return undefined;
    }
    const found = (await admin.fetchTopicOffsets(topic)).find((offsets) => offsets.partition === partition);
    return found === undefined ? undefined : { low: Number(found.low), high: Number(found.high) };
  } catch (error) {
    if (error instanceof Error && NO_SUCH_TOPIC.test(error.message)) return undefined;
    throw asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Kafka lists no topic that one has no right on. Throws KAFKA_REFUSED where it is that: asking for it by its name tells. */
async function requireAbsence(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
  } catch (error) {
    const trouble = asKafkaError(error);
    if (trouble.code === 'KAFKA_REFUSED') throw trouble;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/**
 * The offset from which on messages were appended at or after a time (milliseconds since the epoch), as the broker stamped
 * them; undefined where there is no such topic.
 */
export async function offsetAt({ kafka }: TopicReader, topic: string, time: number): Promise<number | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, time);
    return found === undefined ? undefined : Number(found.offset);
  } catch (error) {
    if (error instanceof Error && NO_SUCH_TOPIC.test(error.message)) return undefined;
    throw asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/**
 * Hands over the messages of a partition, 0 unless told otherwise, from offset `from` up to but without `to`, in order, in batches; the next batch
 * is fetched once `take` has resolved. Resolves after the last one; rejects with Kafka's error, or with that of `take`.
 * The messages must be there: see topicBounds. The reader's group is its own and keeps no offsets.
 */
export async function readTopic(
  { kafka, principal }: TopicReader,
  topic: string,
  { from, to, partition = 0 }: { readonly from: number; readonly to: number; readonly partition?: number },
  take: (messages: readonly KafkaMessage[]) => Promise<void> | void,
): Promise<void> {
  if (from >= to) return;
  const consumer = kafka.consumer({
    groupId: `${ownGroup(principal)}.reading-${randomUUID()}`,
    maxWaitTimeInMs: FETCH_WAIT,
    maxBytesPerPartition: FETCH_BYTES,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
  let next = from;
  const { promise: ended, resolve, reject } = Promise.withResolvers<undefined>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: async (payload) => {
        const { batch } = payload;
        if (batch.partition !== partition) {
          payload.pause();
          return;
        }
        // Before the seek below has its effect, a batch from elsewhere may come.
        const wanted = batch.messages.filter(({ offset }) => Number(offset) >= next && Number(offset) < to);
        if (wanted.length === 0 || Number(wanted[0]?.offset) !== next) return;
        try {
          await take(wanted);
        } catch (error) {
          reject(error);
          return;
        }
        next += wanted.length;
        if (next >= to) resolve(undefined);
        await payload.heartbeat().catch(() => undefined);
      },
    });
    consumer.seek({ topic, partition, offset: String(from) });
    await ended;
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
}
