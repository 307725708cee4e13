import type { TrustedKeys } from '../../../audit/signature/signing-key.ts';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { storeNames } from '../../naming.ts';
import type { TopicMessage } from '../chunk/message.ts';
import { chunkObject, openChunk } from '../chunk/read-chunk.ts';
import type { ChunkRange, ChunkSeal } from '../chunk/seal.ts';
import { chainBounds, readSeal, sealsWithin, type ArchiveStore, type ChainBounds } from './chain.ts';
import { isReached, watchStart, type ArchivePoint } from './start.ts';

/** Chunks fetched at once: a store elsewhere takes its time for each. */
const CHUNKS_AHEAD = 3;

/** A message of the archive: offsets mean something only together with the life of the partition. */
export interface ArchivedMessage extends TopicMessage {
  readonly life: string;
}

/** Offsets that a partition had and the archive has not; `to` is exclusive. */
export interface ArchiveGap {
  readonly topic: string;
  readonly partition: number;
  readonly life: string;
  readonly from: number;
  readonly to: number;
}

export interface ReadArchiveOptions {
  readonly store: ArchiveStore;
  readonly install: string;
  readonly topic: string;
  readonly identities: readonly string[];
  readonly verify: TrustedKeys;
  /**
   * Where each partition begins; from there on everything follows, later lives too. Without a life, the first one that
   * reaches the offset counts: rather too much than too little. A partition that is not named begins with its first message.
   */
  readonly from?: ReadonlyMap<number, ArchivePoint>;
  /** Only what the broker appended up to and with this time, in milliseconds since the epoch. */
  readonly to?: { readonly time?: number };
  /** Told of what is not in the archive between what is. */
  readonly onGap?: (gap: ArchiveGap) => void;
}

/**
 * The messages of a topic, a chunk at a time, each partition in order: verified against signed seals, and decrypted.
 * Memory is bounded by one chunk and the objects of three. Throws BACKUP_DAMAGED naming the object that is not what the archiver wrote,
 * IDENTITY_WRONG where no identity opens it. A topic that was never archived gives nothing.
 */
export async function* readArchive(options: ReadArchiveOptions): AsyncGenerator<readonly ArchivedMessage[]> {
  const { store, install, topic, identities, verify, from = new Map<number, ArchivePoint>(), to } = options;
  const start = watchStart(from);
  const last = to?.time ?? Infinity;
  const gaps = watchGaps(options);
  const bounds = await chainBounds(store, install, topic);
  if (bounds === undefined) return;
  const needed = { first: await firstNeeded(options, from, bounds), next: bounds.next };
  const fetch = async (seal: ChunkSeal) => ({ seal, object: await chunkObject(store, seal) });
  const isNeeded = ({ ranges }: ChunkSeal): boolean => {
    for (const range of ranges) gaps(range);
    return ranges.map((range) => start.isIn(range) && range.firstTime <= last).includes(true);
  };
  // Opened one at a time: a chunk's messages take many times the memory of its object.
  for await (const { seal, object } of inTurn(sealsWithin(store, install, topic, verify, needed), isNeeded, fetch)) {
    const wanted = (await messagesOf(seal, object, identities)).filter(
      (message) => start.isPast(message) && message.timestamp <= last,
    );
    if (wanted.length > 0) yield wanted;
  }
}

async function messagesOf(
  seal: ChunkSeal,
  object: Buffer,
  identities: readonly string[],
): Promise<readonly ArchivedMessage[]> {
  const lives = new Map(seal.ranges.map(({ partition, life }) => [partition, life]));
  const messages = await openChunk(object, seal, identities);
  return messages.map((message) => ({ ...message, life: lives.get(message.partition) ?? '' }));
}

/** The content of each chunk that is needed, some of them fetched ahead. What comes before a damage is given before it is thrown. */
async function* inTurn<T>(
  seals: AsyncIterable<ChunkSeal>,
  isNeeded: (seal: ChunkSeal) => boolean,
  read: (seal: ChunkSeal) => Promise<T>,
): AsyncGenerator<T> {
  const ahead: Promise<T>[] = [];
  const source = seals[Symbol.asyncIterator]();
  for (let isOver = false; !isOver || ahead.length > 0;) {
    if (!isOver) {
      const seal = await source.next().catch((error: unknown) => {
        const failed = Promise.reject<T>(asWardlineError(error));
        ahead.push(inItsTurn(failed));
        return undefined;
      });
      isOver = seal === undefined || seal.done === true;
      if (seal !== undefined && seal.done !== true && isNeeded(seal.value)) ahead.push(inItsTurn(read(seal.value)));
    }
    const [first] = ahead;
    if (first !== undefined && (isOver || ahead.length >= CHUNKS_AHEAD)) {
      yield await first;
      void ahead.shift();
    }
  }
}

/** A promise that is awaited later: that it fails is no error before. */
function inItsTurn<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** The topics that are in the archive of an installation, in the order of their names. */
export async function archivedTopics(store: ArchiveStore, install: string): Promise<readonly string[]> {
  const prefix = storeNames(install).archivedTopics;
  const topics: string[] = [];
  for await (const { name } of store.list(prefix)) topics.push(name.slice(prefix.length));
  return topics;
}

/**
 * The first chunk that can hold anything from these points on, found by halving: a chain of weeks has a million seals. A
 * partition that a seal does not name yet begins later.
 */
async function firstNeeded(
  { store, install, topic, verify }: ReadArchiveOptions,
  from: ReadonlyMap<number, ArchivePoint>,
  bounds: ChainBounds,
): Promise<number> {
  if (from.size === 0) return bounds.first;
  const isNeeded = async (sequence: number): Promise<boolean> => {
    const { seal } = await readSeal(store, install, topic, sequence, verify);
    return seal.ends.some((end) => isReached(from.get(end.partition), end));
  };
  let [low, high] = [bounds.first, bounds.next];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isNeeded(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A range that does not begin where the one before ended says that something is missing; so does a first one behind `from`. */
function watchGaps({ topic, from, onGap }: ReadArchiveOptions): (range: ChunkRange) => void {
  const ends = new Map<number, { readonly life: string; readonly next: number }>();
  return ({ partition, life, from: first, to }) => {
    const before = ends.get(partition);
    const point = from?.get(partition);
    const asked = point?.life === undefined || point.life === life ? point?.offset : undefined;
    const expected = before === undefined ? asked : before.life === life ? before.next : 0;
    ends.set(partition, { life, next: to });
    if (expected !== undefined && first > expected) onGap?.({ topic, partition, life, from: expected, to: first });
  };
}
