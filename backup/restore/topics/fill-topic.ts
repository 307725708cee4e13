import { randomUUID } from 'node:crypto';
import type { Kafka, Message } from 'kafkajs';
import { WardlineError } from '../../../core/errors/errors.ts';
import { REQUEST_LIMIT_BYTES } from '../../../core/limits.ts';
import { asKafkaError } from '../../../security/connect/kafka/kafka.ts';
import { sendAll } from '../../../security/connect/kafka/send-all.ts';
import type { TopicReader } from '../../../audit/topic/read-topic.ts';
import { readArchive, type ReadArchiveOptions } from '../../archive/read/read-archive.ts';
import { isBehind, messageChooser, type Copy } from './choose-messages.ts';
import { existingCopies, type ExistingCopies } from './existing-copies.ts';

export interface FillParts {
  readonly archive: Omit<ReadArchiveOptions, 'from' | 'to' | 'onGap' | 'topic'>;
  /** Reads the topic. */
  readonly reader: TopicReader;
  /** Of a principal that may write to the topic. */
  readonly writer: Kafka;
}

export interface FillOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly incarnationOf: (partition: number, life: string) => string;
  readonly notBefore: number;
  /** Whether others may write to the topic meanwhile. */
  readonly strangers: boolean;
  readonly onProgress?: (messages: number) => void;
}

/** Where a partition stands once it is filled. */
export interface FilledPartition {
  readonly partition: number;
  /** The offset behind the last copy. */
  readonly next: number;
  /** What rows of later messages are to name. */
  readonly incarnation: string;
}

/** Attempts inside kafkajs: about a minute. */
const ATTEMPTS = 8;
const SEND_TIMEOUT_MILLISECONDS = 30_000;

/**
 * Fills a topic that was made again from the archive: each message with its exact key, value and headers, on its partition,
 * in order, and with one header more (see original-place.ts). An earlier call that was cut short is gone on with. Throws as
 * readArchive does, KAFKA_… after a minute of attempts, REFUSED_BY_POLICY where others wrote to the topic.
 */
export async function fillTopic(
  { archive, reader, writer }: FillParts,
  { topic, partitions, incarnationOf, notBefore, strangers, onProgress }: FillOptions,
): Promise<readonly FilledPartition[]> {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  const existing: ExistingCopies[] = [];
  for (const partition of numbers) existing.push(await existingCopies(reader, topic, partition, strangers));
  const incarnations = existing.map(({ last }) => last?.copiedInto ?? randomUUID());
  const ends = existing.map(({ next }) => next);
  const choose = messageChooser({
    ...{ incarnationOf, notBefore },
    copiedInto: (partition) => incarnations[partition] ?? '',
  });
  const isMissing = ({ partition, place }: Copy): boolean => {
    const last = existing[partition]?.last;
    return last === undefined || isBehind(place, last);
  };
  const send = sender(writer, topic);
  let sent = 0;
  try {
    for await (const messages of readArchive({ ...archive, topic })) {
      for (const request of requestsOf(choose(messages).filter(isMissing))) {
        const places = await send(request);
        for (const { partition, from, count } of places) {
          const expected = ends[partition] ?? 0;
          if (from !== expected && !strangers) throw secondWriter(topic, partition, expected, from);
          ends[partition] = from + count;
        }
        sent += request.length;
        onProgress?.(sent);
      }
    }
  } finally {
    await send.close();
  }
  return numbers.map((partition) => ({
    partition,
    next: ends[partition] ?? 0,
    incarnation: incarnations[partition] ?? '',
  }));
}

interface Sender {
  (copies: readonly Copy[]): Promise<readonly { partition: number; from: number; count: number }[]>;
  close(): Promise<void>;
}

/** Sends in order. What is not acknowledged is sent again by a producer that numbers it, so that it is there once. */
function sender(kafka: Kafka, topic: string): Sender {
  const producer = kafka.producer({
    ...{ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
    retry: { retries: ATTEMPTS },
  });
  let connected: Promise<void> | undefined;
  const send = async (copies: readonly Copy[]) => {
    try {
      await (connected ??= producer.connect());
      const counts = new Map<number, number>();
      for (const { partition } of copies) counts.set(partition, (counts.get(partition) ?? 0) + 1);
      const messages = copies.map(asMessage);
      const acknowledged = await sendAll(producer, { topic, messages, timeout: SEND_TIMEOUT_MILLISECONDS });
      return acknowledged.map(({ partition, baseOffset }) => ({
        ...{ partition, from: Number(baseOffset ?? 0), count: counts.get(partition) ?? 0 },
      }));
    } catch (error) {
      throw asKafkaError(error);
    }
  };
  return Object.assign(send, { close: () => producer.disconnect().catch(() => undefined) });
}

function asMessage({ partition, timestamp, key, value, headers }: Copy): Message {
  const byName: Record<string, Buffer | Buffer[]> = {};
  for (const [name, content] of headers) {
    const before = byName[name];
    const bytes = content ?? Buffer.alloc(0);
    byName[name] = before === undefined ? bytes : [...(Array.isArray(before) ? before : [before]), bytes];
  }
  return { partition, timestamp: String(timestamp), key, value, headers: byName };
}

function* requestsOf(copies: readonly Copy[]): Generator<readonly Copy[]> {
  let request: Copy[] = [];
  let bytes = 0;
  for (const copy of copies) {
    const size = sizeOf(copy);
    if (request.length > 0 && bytes + size > REQUEST_LIMIT_BYTES) {
      yield request;
      request = [];
      bytes = 0;
    }
    request.push(copy);
    bytes += size;
  }
  if (request.length > 0) yield request;
}

function sizeOf({ key, value, headers }: Copy): number {
  const ofHeaders = headers.reduce((sum, [name, content]) => sum + name.length + (content?.length ?? 0), 0);
  return (key?.length ?? 0) + (value?.length ?? 0) + ofHeaders;
}

function secondWriter(topic: string, partition: number, expected: number, found: number): WardlineError {
  return new WardlineError(
    'BACKUP_BUSY',
    `${topic}/${partition} is being written to by another: the next record should be at offset ${expected}, and is at ${found}`,
    { hint: 'end what writes to it, and restore again' },
  );
}
