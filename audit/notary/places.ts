import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kafka, Producer } from 'kafkajs';
import type { Clock } from '../../core/clock.ts';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import { sendAll } from '../../security/connect/kafka/send-all.ts';
import { CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import { readTopic, topicBounds, type TopicReader } from '../topic/read-topic.ts';

/** A checkpoint as it is published. */
export interface PublishedCheckpoint {
  readonly epoch: number;
  readonly size: number;
  readonly note: string;
}

/** Where checkpoints are published beside the audit keyspace, so that a change of the keyspace shows. */
export interface CheckpointPlace {
  /** How findings call it. */
  readonly name: string;
  /** Resolves when the checkpoint is durable there. */
  publish(checkpoint: PublishedCheckpoint): Promise<void>;
  close(): Promise<void>;
}

/** The same places for those who read them. The notes are believed by nobody until they are opened. */
export interface CheckpointReader {
  readonly name: string;
  /** The newest notes, at least the newest one of the epoch that was published last. */
  latest(): Promise<readonly string[]>;
  /** Every note, in batches. */
  all(): AsyncIterable<readonly string[]>;
}

/** The checkpoints topic, for the notary. */
export function checkpointsTopic(kafka: Kafka): CheckpointPlace {
  let connected: Promise<Producer> | undefined;
  const connect = async (): Promise<Producer> => {
    const producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1 });
    await producer.connect();
    return producer;
  };
  const drop = async (): Promise<void> => {
    const dropped = connected;
    connected = undefined;
    await dropped?.then((producer) => producer.disconnect()).catch(() => undefined);
  };
  return {
    name: 'checkpoints topic',
    async publish({ epoch, note }) {
      try {
        connected ??= connect();
        const messages = [{ key: String(epoch), value: note, partition: 0 }];
        await sendAll(await connected, { topic: CHECKPOINTS_TOPIC, messages });
      } catch (error) {
        await drop();
        throw asKafkaError(error);
      }
    },
    close: drop,
  };
}

/** Enough to hold the newest checkpoint that was acknowledged, were some sent twice. */
const NEWEST = 16;

/** The checkpoints topic, for whoever may read it. */
export function checkpointsTopicReader(reader: TopicReader): CheckpointReader {
  const read = async (newest: number): Promise<string[]> => {
    const bounds = await topicBounds(reader, CHECKPOINTS_TOPIC);
    if (bounds === undefined) return [];
    const notes: string[] = [];
    const range = { from: Math.max(bounds.low, bounds.high - newest), to: bounds.high };
    await readTopic(reader, CHECKPOINTS_TOPIC, range, (messages) => {
      for (const { value } of messages) notes.push(value?.toString('utf8') ?? '');
    });
    return notes;
  };
  return {
    name: 'checkpoints topic',
    latest: () => read(NEWEST),
    async *all() {
      yield await read(Infinity);
    },
  };
}

/** A file an hour: all that is kept of the hour is its last checkpoint, which all before it lead to. */
const FILE_NAME = /^\d{4}-\d{2}-\d{2}T\d{2}\.note$/;

/** A folder of notes `<epoch>/<UTC hour>.note`, for the notary and for readers. */
export function checkpointsFolder(folder: string, clock: Clock): CheckpointPlace & CheckpointReader {
  const files = (): string[] =>
    subfolders(folder)
      .sort((a, b) => Number(a) - Number(b))
      .flatMap((epoch) =>
        readdirSync(join(folder, epoch))
          .filter((file) => FILE_NAME.test(file))
          .sort()
          .map((file) => join(folder, epoch, file)),
      );
  const read = (paths: readonly string[]): string[] => paths.map((path) => readFileSync(path, 'utf8'));
  return {
    name: 'home',
    publish({ epoch, note }) {
      makeSecretFolder(join(folder, String(epoch)));
      writeFileAtomic(join(folder, String(epoch), `${new Date(clock.now()).toISOString().slice(0, 13)}.note`), note);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
    latest: () => Promise.resolve(read(files().slice(-NEWEST))),
    async *all() {
      yield await Promise.resolve(read(files()));
    },
  };
}

function subfolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => /^[1-9]\d*$/.test(name));
}
