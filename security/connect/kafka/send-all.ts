import type { Message, Producer, RecordMetadata } from 'kafkajs';
import { WardlineError } from '../../../core/errors/errors.ts';

/** What is sent. A message that says no partition is the only one of its request. */
export interface Request {
  readonly topic: string;
  readonly messages: readonly Message[];
  /** How long the partition's leader may wait for the other replicas, in milliseconds; else 30 s. */
  readonly timeout?: number;
}

/**
 * Sends messages, and resolves when all in-sync replicas have acknowledged each of them: with what was acknowledged, for one
 * partition as often as it took. Every producer sends through this but the doctor's, whose messages are meant to be refused.
 *
 * kafkajs keeps the answers of brokers over its attempts of one request. Where a leader is lost in between, and its
 * partition goes over to a broker that has answered for another one already, that broker is not asked again: the request
 * succeeds, and what was meant for the partition was sent to nobody. The answer lacks the partition, which is what is
 * looked at here. An idempotent producer numbers what is sent again as it did the first time, so that it is there once.
 */
export async function sendAll(
  producer: Pick<Producer, 'send'>,
  { topic, messages, timeout }: Request,
): Promise<readonly RecordMetadata[]> {
  const acknowledged: RecordMetadata[] = [];
  for (let left = messages; left.length > 0;) {
    const answered = await producer.send({
      ...{ topic, acks: -1, messages: [...left] },
      ...(timeout === undefined ? {} : { timeout }),
    });
    acknowledged.push(...answered);
    const partitions = new Set(answered.map(({ partition }) => partition));
    const missing = left.filter(({ partition }) =>
      partition === undefined ? partitions.size === 0 : !partitions.has(partition),
    );
    if (missing.length === left.length)
      throw new WardlineError(
        'KAFKA_UNREACHABLE',
        `Kafka: no broker acknowledged ${missing.length} messages of ${topic}`,
      );
    left = missing;
  }
  return acknowledged;
}
