import { hash, randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { sleep } from '../../core/clock.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import { ownGroup } from '../../security/principals/names.ts';
import { encodeFrame } from './chunk/frame.ts';
import type { TopicMessage } from './chunk/message.ts';
import type { PartitionEnd } from './chunk/seal.ts';
import { archivable, type KafkaView } from './kafka-view.ts';
import { continuation, continuationAfter, type GoingOn } from './lives.ts';
import type { TopicArchive } from './topic-archive.ts';

/** Why a partition goes on elsewhere than where it was archived up to. */
export interface Break {
  readonly topic: string;
  readonly partition: number;
  /** How far it was archived before; undefined where nothing was. */
  readonly end: PartitionEnd | undefined;
  readonly continuation: GoingOn;
}

export interface SessionOptions {
  readonly kafka: Kafka;
  readonly view: KafkaView;
  readonly topics: ReadonlyMap<string, TopicArchive>;
  /** Told before anything is taken from there: that it goes on elsewhere is to be on the record first. */
  readonly onBreak: (broken: Break) => Promise<void>;
  /** Messages were taken; resolves once there is room for more. */
  readonly onTaken: (topic: string, messages: readonly TopicMessage[]) => Promise<void>;
  readonly signal: AbortSignal;
}

const SESSION_TIMEOUT = 30_000;
const HEARTBEAT_INTERVAL = 3000;
/** How long the broker holds a fetch that finds nothing, in milliseconds. */
const FETCH_WAIT = 500;
const FETCH_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 1024 * 1024;
/** How long leaving may take, where Kafka is away. */
const DISCONNECT_PATIENCE = 3000;
/** A partition that ends before what was archived of it is looked at twice, this far apart: a broker may be just starting. */
const DOUBT_PAUSE = 1000;
/** How often the last archived message is asked for before something else counts as standing in its place. */
const MOST_LOOKS = 3;

/**
 * Takes the messages of some topics until the signal aborts, each partition where its archive ends. The group is one of
 * its own and keeps no offsets: where to go on is for the archive to say. kafkajs goes back to the first message in
 * silence where an offset is out of range, so each batch that does not follow the one before has its place judged anew.
 * Rejects with Kafka's error, or with that of what it calls.
 */
export async function runSession(options: SessionOptions): Promise<void> {
  const { kafka, topics, signal } = options;
  const consumer = kafka.consumer({
    groupId: `${ownGroup('archiver')}.${randomUUID()}`,
    sessionTimeout: SESSION_TIMEOUT,
    heartbeatInterval: HEARTBEAT_INTERVAL,
    maxWaitTimeInMs: FETCH_WAIT,
    maxBytes: FETCH_BYTES,
    maxBytesPerPartition: PARTITION_BYTES,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<undefined>();
  ended.catch(() => undefined);
  const stop = (): void => end(undefined);
  signal.addEventListener('abort', stop, { once: true });
  let placements: Placements = new Map();
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(asKafkaError(payload.error)));
  // A topic that was made again shows by a fetch that fails, after which kafkajs joins anew.
  consumer.on(consumer.events.GROUP_JOIN, () => (placements = new Map()));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics.keys()], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => {
        if (signal.aborted || payload.isStale() || payload.batch.messages.length === 0) return;
        await take(options, consumer, placements, payload).catch(fail);
      },
    });
    await (signal.aborted ? Promise.resolve() : ended);
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.race([consumer.disconnect().catch(() => undefined), sleep(DISCONNECT_PATIENCE)]);
  }
}

/** What is known of a partition's place: the next offset once that is judged, and how often it had to be asked for. */
interface Placement {
  readonly next: number | undefined;
  readonly looks: number;
}

type Placements = Map<string, Placement>;

async function take(
  options: SessionOptions,
  consumer: Consumer,
  placements: Placements,
  payload: EachBatchPayload,
): Promise<void> {
  const { topic, partition, messages } = payload.batch;
  const archive = options.topics.get(topic);
  if (archive === undefined) return;
  const beating = setInterval(() => void payload.heartbeat().catch(() => undefined), HEARTBEAT_INTERVAL);
  try {
    const judged = await judge({ ...options, archive, topic, partition }, placements, messages);
    const index = judged.known ? messages.findIndex(({ offset }) => Number(offset) >= judged.from) : -1;
    if (index < 0 || Number(messages[0]?.offset) > judged.from) {
      consumer.seek({ topic, partition, offset: String(judged.from) });
      return;
    }
    const taken = messages.slice(index).map((message) => archivable(partition, message));
    await archive.take(partition, taken);
    placements.set(`${topic}/${partition}`, { next: Number(messages.at(-1)?.offset) + 1, looks: 0 });
    await options.onTaken(topic, taken);
    payload.resolveOffset(payload.batch.lastOffset());
  } finally {
    clearInterval(beating);
  }
}

interface Judging extends SessionOptions {
  readonly archive: TopicArchive;
  readonly topic: string;
  readonly partition: number;
}

/** The offset that a partition goes on from, or, where that is not known yet, the one to ask for. */
interface Judged {
  readonly known: boolean;
  readonly from: number;
}

async function judge(judging: Judging, placements: Placements, messages: readonly KafkaMessage[]): Promise<Judged> {
  const { archive, topic, partition, view, signal } = judging;
  const place = `${topic}/${partition}`;
  const first = Number(messages[0]?.offset);
  const { next, looks } = placements.get(place) ?? { next: undefined, looks: 0 };
  if (next === first) return { known: true, from: first };
  const end = archive.end(partition);
  const bounds = (await view.bounds(topic)).get(partition);
  // The topic is gone: what comes is judged by what stands then.
  if (bounds === undefined) return { known: false, from: 0 };
  placements.set(place, { next: undefined, looks: looks + 1 });
  let found = continuation(end, bounds);
  if (end !== undefined && found.kind === 'compare') {
    const { at } = found;
    const message = messages.find(({ offset }) => Number(offset) === at);
    if (message === undefined && looks < MOST_LOOKS) return { known: false, from: at };
    found = continuationAfter(end, bounds, message === undefined ? undefined : frameHash(partition, message));
  } else if (end !== undefined && found.kind === 'go-on' && found.isNewLife && looks === 0) {
    await sleep(DOUBT_PAUSE, signal);
    return { known: false, from: first };
  }
  if (found.kind === 'compare') return { known: false, from: found.at };
  await begin(judging, end, found);
  placements.set(place, { next: found.from, looks: 0 });
  return { known: true, from: found.from };
}

async function begin({ archive, topic, partition, onBreak }: Judging, end: PartitionEnd | undefined, going: GoingOn) {
  if (going.gap !== undefined || (going.isNewLife && end !== undefined))
    await onBreak({ topic, partition, end, continuation: going });
  archive.begin(partition, going.life, going.from);
}

function frameHash(partition: number, message: KafkaMessage): string {
  return hash('sha256', encodeFrame(archivable(partition, message)), 'hex');
}
