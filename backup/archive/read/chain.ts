import type { TrustedKeys } from '../../../audit/signature/signing-key.ts';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { digits, storeNames } from '../../naming.ts';
import { readObject, type ObjectStore } from '../../objects/object-store.ts';
import { damaged, openSeal, sealHash, type ChunkSeal } from '../chunk/seal.ts';

export type ArchiveStore = Pick<ObjectStore, 'get' | 'list'>;

/** Seals fetched at once: they are small, and a store elsewhere takes its time for each. */
const AHEAD = 16;
const SEAL_BYTES = 8 * 1024 * 1024;
const SEAL_NAME = /\/(\d{12})\.jws$/;

/** Sequences of a chain: the first that is in the store, and the one after the last. */
export interface ChainBounds {
  readonly first: number;
  readonly next: number;
}

/**
 * What of a topic's chain is in the store; undefined where nothing is archived. Throws BACKUP_DAMAGED naming the first seal that is missing in between. A chunk without a seal behind the
 * last one was being written when the archiver was killed: it counts for nothing.
 */
export async function chainBounds(
  store: ArchiveStore,
  install: string,
  topic: string,
): Promise<ChainBounds | undefined> {
  const names = storeNames(install);
  let first: number | undefined;
  let next = 0;
  for await (const { name } of store.list(names.log(topic))) {
    const [, text] = SEAL_NAME.exec(name) ?? [];
    if (text === undefined) continue;
    const sequence = Number(text);
    first ??= sequence;
    if (first !== sequence && sequence !== next) throw damaged(names.chunkSeal(topic, next), 'is missing');
    next = sequence + 1;
  }
  return first === undefined ? undefined : { first, next };
}

/** A seal with the hash by which the next one names it. */
export interface StoredSeal {
  readonly seal: ChunkSeal;
  readonly sha256: string;
}

/** One seal, signature verified. Throws BACKUP_DAMAGED naming the object where it is not there or not what belongs there. */
export async function readSeal(
  store: Pick<ObjectStore, 'get'>,
  install: string,
  topic: string,
  sequence: number,
  keys: TrustedKeys,
): Promise<StoredSeal> {
  const name = storeNames(install).chunkSeal(topic, sequence);
  const bytes = await readObject(store, name, SEAL_BYTES).catch((error: unknown) => {
    if (asWardlineError(error).code === 'OBJECT_NOT_FOUND') throw damaged(name, 'is missing', error);
    throw error;
  });
  const seal = openSeal(bytes, name, keys);
  if (seal.install !== install || seal.topic !== topic || seal.sequence !== sequence)
    throw damaged(name, `is the seal of ${seal.topic}/${digits(seal.sequence)} of ${seal.install}`);
  return { seal, sha256: sealHash(bytes) };
}

/**
 * The chain of a topic's seals: each signed by the archiver, and each naming the one before. Throws BACKUP_DAMAGED naming
 * the object that is missing, altered or exchanged. What was before the first one that is in the store cannot be known:
 * old chunks are removed once no backup needs them.
 */
export async function* readSeals(
  store: ArchiveStore,
  install: string,
  topic: string,
  keys: TrustedKeys,
): AsyncGenerator<ChunkSeal> {
  const bounds = await chainBounds(store, install, topic);
  if (bounds !== undefined) yield* sealsWithin(store, install, topic, keys, bounds);
}

/** The same for a part of the chain. */
export async function* sealsWithin(
  store: Pick<ObjectStore, 'get'>,
  install: string,
  topic: string,
  keys: TrustedKeys,
  { first, next }: ChainBounds,
): AsyncGenerator<ChunkSeal> {
  const ahead: Promise<StoredSeal>[] = [];
  let before: StoredSeal | undefined;
  for (let sequence = first; sequence < next; sequence += 1) {
    for (let asked = sequence + ahead.length; ahead.length < AHEAD && asked < next; asked += 1) {
      const reading = readSeal(store, install, topic, asked, keys);
      // One that fails is thrown when its turn comes.
      reading.catch(() => undefined);
      ahead.push(reading);
    }
    const read = (await ahead.shift()) ?? (await readSeal(store, install, topic, sequence, keys));
    const follows = before !== undefined || sequence === 0;
    if (follows && read.seal.previous !== (before?.sha256 ?? null))
      throw damaged(storeNames(install).chunkSeal(topic, sequence), 'does not follow the one before it');
    before = read;
    yield read.seal;
  }
}
