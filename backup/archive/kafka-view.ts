import type { Admin, Kafka, KafkaMessage } from 'kafkajs';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import type { MessageHeader, TopicMessage } from './chunk/message.ts';
import type { PartitionBounds } from './lives.ts';

const DEAD_LETTERS = '.dead-letters';

/** What the archiver asks of Kafka beside its messages, over one connection that is made when it is first needed. */
export interface KafkaView {
  /** The topics of the product: its own, and each that has a topic for dead letters, with that. */
  topics(): Promise<readonly string[]>;
  /** Where each partition of a topic begins and ends now; empty where there is no such topic. */
  bounds(topic: string): Promise<ReadonlyMap<number, PartitionBounds>>;
  /** Connects anew, with the credentials that then stand in the files. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

export function kafkaView(kafka: Kafka): KafkaView {
  let connecting: Promise<Admin> | undefined;
  const connect = async (): Promise<Admin> => {
    const admin = kafka.admin();
    await admin.connect();
    return admin;
  };
  const drop = async (): Promise<void> => {
    const dropped = connecting;
    connecting = undefined;
    await dropped?.then((admin) => admin.disconnect()).catch(() => undefined);
  };
  const ask = async <T>(question: (admin: Admin) => Promise<T>): Promise<T> => {
    try {
      return await question(await (connecting ??= connect()));
    } catch (error) {
      await drop();
      throw asKafkaError(error);
    }
  };
  return {
    topics: () => ask(async (admin) => productTopics(await admin.listTopics())),
    bounds: (topic) =>
      ask(async (admin) => {
        if (!(await admin.listTopics()).includes(topic)) return new Map<number, PartitionBounds>();
        const offsets = await admin.fetchTopicOffsets(topic);
        return new Map(
          offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]),
        );
      }),
    renew: drop,
    close: drop,
  };
}

/** A cluster may hold topics of others: a data topic is known by the topic for its dead letters. */
export function productTopics(names: readonly string[]): readonly string[] {
  const all = new Set(names);
  return names
    .filter((name) =>
      name.endsWith(DEAD_LETTERS)
        ? all.has(name.slice(0, -DEAD_LETTERS.length))
        : name === AUDIT_TOPIC || name === CHECKPOINTS_TOPIC || all.has(`${name}${DEAD_LETTERS}`),
    )
    .toSorted();
}

/**
 * A message as kafkajs gives it, as the archive keeps it. kafkajs gathers headers of one name, so those of different names
 * may have changed places with them.
 */
export function archivable(partition: number, { offset, timestamp, key, value, headers }: KafkaMessage): TopicMessage {
  const list = Object.entries(headers ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((content): MessageHeader => [
      name,
      content == null ? null : Buffer.from(content),
    ]),
  );
  return { partition, offset: Number(offset), timestamp: Number(timestamp), key, value, headers: list };
}
