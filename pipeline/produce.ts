import kafkajs, { type Kafka, type Message, type PartitionMetadata, type Producer, type RecordMetadata } from 'kafkajs';
import { createSemaphore } from '../core/async/semaphore.ts';
import { REQUEST_LIMIT_BYTES } from '../core/limits.ts';
import type { Sealed } from '../core/record.ts';
import { asKafkaError } from '../security/connect/kafka/kafka.ts';
import { sendAll } from '../security/connect/kafka/send-all.ts';
import type { StageBody } from './stage.ts';

/** Where a run of messages stands on the topic once Kafka has acknowledged it. */
export interface ProducedRange {
  readonly partition: number;
  readonly firstOffset: bigint;
  readonly records: number;
  /** The digests of its messages, one behind the other. */
  readonly digests: Buffer;
}

/**
 * An idempotent producer that replaces itself after an error that kafkajs does not recover from (a lost sequence, say).
 * A resend after such an error may put a message on the topic twice; the row's deterministic key and write timestamp
 * make the second a repetition of the first.
 *
 * One request is under way at a time, whoever calls: of two, kafkajs may give the sequence number of one that failed to
 * the other, which a broker that has the first one after all then takes for its repetition and acknowledges without having it.
 */
export interface ResilientProducer {
  send(topic: string, messages: readonly Message[]): Promise<readonly RecordMetadata[]>;
  partitionsOf(topic: string): Promise<readonly PartitionMetadata[]>;
  /** Connects anew, with the credentials that then stand in the files: as soon as nothing is being sent. */
  renew(): void;
  disconnect(): Promise<void>;
}

/** Attempts inside kafkajs before the error reaches our own retry, which says why it waits. */
const KAFKAJS_RETRIES = 5;

export function createProducer(kafka: Kafka): ResilientProducer {
  const turns = createSemaphore(1);
  let connected: Promise<Producer> | undefined;
  let stale = false;
  const connect = async (): Promise<Producer> => {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: { retries: KAFKAJS_RETRIES },
    });
    await producer.connect();
    return producer;
  };
  const discard = async (): Promise<void> => {
    const broken = connected;
    connected = undefined;
    stale = false;
    await broken?.then((producer) => producer.disconnect()).catch(() => undefined);
  };
  return {
    async send(topic, messages) {
      const release = await turns.acquire();
      try {
        return await sendAll(await (connected ??= connect()), { topic, messages });
      } catch (error) {
        await discard();
        throw asKafkaError(error);
      } finally {
        // Between two requests, so that none in flight is cut off.
        if (stale) await discard();
        release();
      }
    },
    async partitionsOf(topic) {
      const admin = kafka.admin();
      try {
        await admin.connect();
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        return topics[0]?.partitions ?? [];
      } catch (error) {
        throw asKafkaError(error);
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
    renew() {
      stale = true;
      if (turns.taken === 0) void discard();
    },
    disconnect: discard,
  };
}

/**
 * Stage produce: sends one request (see `requestsOf`) and resolves when every message is acknowledged by all in-sync
 * replicas. Messages are put on partitions here, not in kafkajs, so that each one's offset is known afterwards.
 */
export function produceStage(
  producer: ResilientProducer,
  topic: string,
  partitions: readonly PartitionMetadata[],
): StageBody<readonly Sealed[], readonly ProducedRange[]> {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  return async (messages) => {
    const digests = new Map<number, Buffer[]>();
    let bytes = 0;
    let lastKey: Buffer | undefined;
    let partition = 0;
    const placed = messages.map(({ key, value, headers, digest, size }) => {
      // Neighbours mostly share their key: the hash is not worth doing twice.
      if (lastKey === undefined || !lastKey.equals(key)) {
        lastKey = key;
        partition = partitioner({ topic, partitionMetadata: [...partitions], message: { key, value: null } });
      }
      const ofPartition = digests.get(partition);
      if (ofPartition === undefined) digests.set(partition, [digest]);
      else ofPartition.push(digest);
      bytes += size;
      return { key, value, headers: { ...headers }, partition };
    });
    const acknowledged = await producer.send(topic, placed);
    const output = acknowledged.map(({ partition: at, baseOffset }) => {
      const ofPartition = digests.get(at) ?? [];
      return {
        partition: at,
        firstOffset: BigInt(baseOffset ?? 0),
        records: ofPartition.length,
        digests: Buffer.concat(ofPartition),
      };
    });
    return { output, facts: { counts: { records: messages.length, bytes } } };
  };
}

/** Cuts messages into requests of at most REQUEST_LIMIT_BYTES; a single larger message is a request of its own. */
export function* requestsOf(messages: readonly Sealed[]): Generator<readonly Sealed[]> {
  let start = 0;
  let size = 0;
  for (let index = 0; index < messages.length; index += 1) {
    const next = messages[index]?.size ?? 0;
    if (index > start && size + next > REQUEST_LIMIT_BYTES) {
      yield messages.slice(start, index);
      start = index;
      size = 0;
    }
    size += next;
  }
  if (start < messages.length) yield messages.slice(start);
}
