import { readFileSync } from 'node:fs';
import { Client } from 'cassandra-driver';
import kafkajs, { type Kafka, type KafkaMessage } from 'kafkajs';
import type { PrincipalName } from '../../security/principals/names.ts';
import { wardlineOn } from './wardline.ts';

/** What `credentials PRINCIPAL --json` promises to print. */
export interface OutsideCredentials {
  readonly principal: string;
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly tls: TlsFiles;
    readonly sasl: { readonly mechanism: string; readonly username: string; readonly passwordFile: string };
  };
  readonly cassandra: {
    readonly contactPoints: readonly string[];
    readonly localDataCenter: string;
    readonly tls: TlsFiles;
    readonly username: string;
    readonly passwordFile: string;
  };
}

interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A message where it stands. */
export interface StoredMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly message: KafkaMessage;
}

/** Clients that know nothing of Wardline: they have only what the command tells anyone. */
export async function outsideCredentials(home: string, principal: PrincipalName): Promise<OutsideCredentials> {
  const { json } = await wardlineOn(home, ['credentials', principal]);
  return json as unknown as OutsideCredentials;
}

export function plainKafka({ principal, kafka }: OutsideCredentials): Kafka {
  return new kafkajs.Kafka({
    clientId: `outside-${principal}`,
    brokers: [...kafka.brokers],
    ssl: tlsOf(kafka.tls),
    sasl: {
      mechanism: 'scram-sha-512',
      username: kafka.sasl.username,
      password: readFileSync(kafka.sasl.passwordFile, 'utf8').trimEnd(),
    },
    logLevel: kafkajs.logLevel.NOTHING,
  });
}

export function plainCassandra({ cassandra }: OutsideCredentials): Client {
  return new Client({
    contactPoints: [...cassandra.contactPoints],
    localDataCenter: cassandra.localDataCenter,
    credentials: { username: cassandra.username, password: readFileSync(cassandra.passwordFile, 'utf8').trimEnd() },
    sslOptions: { ...tlsOf(cassandra.tls), rejectUnauthorized: true },
  });
}

/** First offset and end of each partition of a topic. */
export async function offsetsOf(
  kafka: Kafka,
  topic: string,
): Promise<ReadonlyMap<number, { low: bigint; high: bigint }>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
  } finally {
    await admin.disconnect();
  }
}

/** Everything that stands on a topic from `from` (the offset of each partition; its beginning otherwise) up to now. */
export async function messagesOn(
  kafka: Kafka,
  topic: string,
  group: string,
  from: ReadonlyMap<number, bigint> = new Map(),
): Promise<StoredMessage[]> {
  const waiting = new Map<number, bigint>();
  const starts = new Map<number, bigint>();
  for (const [partition, { low, high }] of await offsetsOf(kafka, topic)) {
    const start = from.get(partition) ?? low;
    starts.set(partition, start);
    if (high > start) waiting.set(partition, high);
  }
  const found: StoredMessage[] = [];
  if (waiting.size === 0) return found;
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 200 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    const done = Promise.withResolvers<undefined>();
    // Some crashes kafkajs mends by itself: right after a start, the group's coordinator is still loading.
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) done.reject(payload.error);
    });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }) => {
        const offset = BigInt(message.offset);
        const end = waiting.get(partition);
        if (end !== undefined && offset < end) found.push({ partition, offset, message });
        if (end !== undefined && offset + 1n >= end) waiting.delete(partition);
        if (waiting.size === 0) done.resolve(undefined);
        return Promise.resolve();
      },
    });
    for (const [partition, offset] of starts) consumer.seek({ topic, partition, offset: String(offset) });
    await done.promise;
  } finally {
    await consumer.disconnect();
  }
  const key = ({ partition, offset }: StoredMessage): string => `${partition}/${offset}`;
  return [...new Map(found.map((message) => [key(message), message])).values()];
}

function tlsOf({ ca, cert, key }: TlsFiles): { ca: string[]; cert: string; key: string } {
  return { ca: [readFileSync(ca, 'utf8')], cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
