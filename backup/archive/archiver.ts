import type { Kafka } from 'kafkajs';
import { createSemaphore } from '../../core/async/semaphore.ts';
import { sleep, type Clock } from '../../core/clock.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { SigningKey, TrustedKeys } from '../../audit/signature/signing-key.ts';
import { storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { findChainEnd } from './chain-end.ts';
import type { TopicMessage } from './chunk/message.ts';
import type { ChunkContent } from './chunk/write-chunk.ts';
import { createLagWatch, type LagWatch } from './lag/lag-watch.ts';
import type { KafkaView } from './kafka-view.ts';
import type { PartitionBounds } from './lives.ts';
import type { ArchivePositions } from './position.ts';
import { runSession, type Break } from './session.ts';
import { createTopicArchive, type TopicArchive } from './topic-archive.ts';

export interface ArchiverOptions {
  readonly kafka: Kafka;
  readonly view: KafkaView;
  readonly store: ObjectStore;
  readonly install: string;
  readonly recipients: () => readonly string[];
  readonly key: SigningKey;
  /** The archiver's keys, past ones too: the chain goes on behind what they signed. */
  readonly keys: TrustedKeys;
  readonly positions: ArchivePositions;
  readonly clock: Clock;
  readonly chunkBytes: number;
  readonly chunkMilliseconds: number;
  /** Calls work on the store again for as long as it fails with what may pass. */
  readonly retry: <T>(work: () => Promise<T>) => Promise<T>;
  /** Puts on the record that a topic goes on elsewhere than where it was archived up to. */
  readonly onBreak: (broken: Break) => Promise<void>;
  /** Puts on the record that the store lost the end of a topic's chain. */
  readonly onShortened: (topic: string) => Promise<void>;
  /** A chunk is sealed; the topic's next one waits for what this does. */
  readonly onSealed: (topic: string, content: ChunkContent) => Promise<void>;
  /** Told every few seconds how far behind the archive is, in milliseconds. */
  readonly onLag: (milliseconds: number) => Promise<void>;
  /** What was taken of a topic, before it is sealed. */
  readonly onTaken: (topic: string, messages: readonly TopicMessage[]) => void;
  readonly onWaiting: (reason: string) => void;
  /** Calls back whenever the credentials' files have changed, until closed. */
  readonly watchCredentials: (onChange: () => void) => { close(): void };
  readonly stop: AbortSignal;
}

/** How often the archiver looks for new topics and at how far it is behind, in milliseconds. */
const ROUND = 2000;
/** Chunks compressed and encrypted at once. */
const WRITERS = 2;
/** What all topics together may hold in memory, in chunks: beyond it everything is written before more is taken. */
const MOST_CHUNKS_HELD = 3;

/** Once told to stop, how long what the topics hold by then may still take to come. */
const CATCH_UP_PATIENCE = 2000;
const CATCH_UP_POLL = 20;

/** How long a consumer may take to leave, where Kafka is away. */
const END_PATIENCE = 4000;

/** One consumer at work on a set of topics. */
interface Session {
  /** The topics and how many partitions each has: a consumer takes no notice of new ones. */
  readonly key: string;
  end(): Promise<void>;
  isOver(): boolean;
}

/**
 * Copies the topics of the product into the store until it is told to stop; resolves then with everything sealed that
 * they hold, or as much of it as comes in two seconds. While Kafka or the store is away it waits: what is not sealed stays in Kafka, and nothing more is taken than fits
 * into memory. Rejects with what waiting does not mend.
 */
export async function runArchiver(options: ArchiverOptions): Promise<void> {
  const { stop, onWaiting } = options;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const topics = new Map<string, TopicArchive>();
  const lag = createLagWatch();
  const archiver = { ...options, topics, fail: failed.reject, writers: createSemaphore(WRITERS) };
  let session: Session | undefined;
  const round = async (): Promise<void> => {
    const names = await options.view.topics();
    const key = await observe(archiver, names, lag);
    for (const name of names) if (!topics.has(name)) topics.set(name, await openTopic(archiver, name));
    if (session?.key === key && !session.isOver()) return;
    await session?.end();
    session = names.length === 0 ? undefined : startSession(archiver, names, key);
  };
  const renewal = options.watchCredentials(() => {
    void options.view.renew();
    void session?.end();
  });
  try {
    while (!stop.aborted) {
      const done = round().catch((error: unknown) => {
        const trouble = asWardlineError(error);
        if (!trouble.retryable) throw trouble;
        onWaiting(trouble.message);
      });
      await Promise.race([done, failed.promise, whenAborted(stop)]);
      await Promise.race([sleep(ROUND, stop), failed.promise]);
    }
    await Promise.race([caughtUp(archiver), failed.promise]);
  } finally {
    renewal.close();
    await session?.end();
  }
  await Promise.all([...topics.values()].map((topic) => topic.flush()));
}

interface Archiver extends ArchiverOptions {
  readonly topics: Map<string, TopicArchive>;
  readonly fail: (error: unknown) => void;
  readonly writers: ReturnType<typeof createSemaphore>;
}

async function openTopic(archiver: Archiver, topic: string): Promise<TopicArchive> {
  const { store, install, keys, positions } = archiver;
  const { chain, ends, isShortened } = await findChainEnd(store, install, topic, keys, positions.get(topic));
  if (isShortened) await archiver.onShortened(topic);
  const mark = storeNames(install).archivedTopic(topic);
  if ((await store.stat(mark)) === undefined) await store.put(mark, new Uint8Array());
  return createTopicArchive({
    ...archiver,
    topic,
    from: { chain, ends },
    onSealed({ sequence, previous }, content) {
      positions.set(topic, { sequence: sequence - 1, seal: previous ?? '' });
      return archiver.onSealed(topic, content);
    },
    onFailure: archiver.fail,
  });
}

/** Looks at how far the archive is behind. Returns what tells these topics and partitions from others. */
async function observe(
  { view, topics, clock, onLag }: Archiver,
  names: readonly string[],
  lag: LagWatch,
): Promise<string> {
  const now = clock.now();
  lag.forget((place) => !names.includes(place.slice(0, place.lastIndexOf('/'))));
  const sizes: string[] = [];
  for (const name of names) {
    const bounds = await view.bounds(name);
    sizes.push(`${name}/${bounds.size}`);
    for (const [partition, { low, high }] of bounds)
      lag.observe(`${name}/${partition}`, high, Math.max(low, topics.get(name)?.sealed(partition) ?? 0), now);
  }
  const oldest = [...topics.values()].flatMap((topic) => topic.oldest ?? []);
  await onLag(Math.max(lag.lag(now), now - Math.min(now, ...oldest)));
  return sizes.join(' ');
}

function startSession(archiver: Archiver, names: readonly string[], key: string): Session {
  const over = new AbortController();
  const topics = new Map(
    names.flatMap((name) => {
      const topic = archiver.topics.get(name);
      return topic === undefined ? [] : [[name, topic] as const];
    }),
  );
  let isOver = false;
  const done = runSession({
    ...archiver,
    topics,
    async onTaken(topic, messages) {
      archiver.onTaken(topic, messages);
      const held = [...archiver.topics.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      if (held > MOST_CHUNKS_HELD * archiver.chunkBytes)
        await Promise.all([...archiver.topics.values()].map((each) => each.flush()));
    },
    signal: over.signal,
  })
    .catch((error: unknown) => {
      const trouble = asWardlineError(error);
      if (trouble.retryable) archiver.onWaiting(trouble.message);
      else archiver.fail(trouble);
    })
    .finally(() => (isOver = true));
  return {
    key,
    isOver: () => isOver,
    end() {
      over.abort();
      return Promise.race([done, sleep(END_PATIENCE)]);
    },
  };
}

/** Resolves when everything is taken that the topics hold by now, or that came in time. */
async function caughtUp({ view, topics, clock }: Archiver): Promise<void> {
  const deadline = clock.now() + CATCH_UP_PATIENCE;
  for (const [name, topic] of topics) {
    const bounds = await view.bounds(name).catch(() => new Map<number, PartitionBounds>());
    for (const [partition, { low, high }] of bounds)
      while (high > low && (topic.end(partition)?.next ?? 0) < high && clock.now() < deadline)
        await sleep(CATCH_UP_POLL);
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
