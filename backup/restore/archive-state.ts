import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { sleep, type Clock } from '../../core/clock.ts';
import { findChainEnd } from '../archive/chain-end.ts';
import { chainBounds, readSeal, type ArchiveStore } from '../archive/read/chain.ts';
import type { PartitionEnd } from '../archive/chunk/seal.ts';
import type { ObjectStore } from '../objects/object-store.ts';

export interface ArchiveParts {
  readonly store: ArchiveStore;
  readonly install: string;
  readonly trusted: TrustedKeys;
}

/**
 * How far the archive of a topic had come at a time (milliseconds since the epoch, by the archiver's clock): the end of
 * each partition with its life. Empty where nothing was archived by then.
 */
export async function archiveEnds(
  { store, install, trusted }: ArchiveParts,
  topic: string,
  at: number,
): Promise<readonly PartitionEnd[]> {
  const bounds = await chainBounds(store, install, topic);
  if (bounds === undefined) return [];
  const sealAt = async (sequence: number) => (await readSeal(store, install, topic, sequence, trusted)).seal;
  // Chunks are written one after another: what was written by a time is found by halving.
  let [low, high] = [bounds.first, bounds.next];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((await sealAt(middle)).writtenAt <= at) low = middle + 1;
    else high = middle;
  }
  return low === bounds.first ? [] : (await sealAt(low - 1)).ends;
}

const POLL_MILLISECONDS = 500;

/**
 * Waits until the archive holds everything that a topic held when this was called, for at most `patience` milliseconds.
 * Returns whether it does. `high` gives the offset after the last of each partition.
 */
export async function waitUntilArchived(
  parts: ArchiveParts & { readonly store: Pick<ObjectStore, 'stat'> },
  topic: string,
  high: ReadonlyMap<number, number>,
  patience: number,
  clock: Clock,
): Promise<boolean> {
  for (const until = clock.now() + patience; ;) {
    const found = await findChainEnd(parts.store, parts.install, topic, parts.trusted, undefined);
    const ends = new Map(found.ends.map(({ partition, next }) => [partition, next]));
    if ([...high].every(([partition, offset]) => (ends.get(partition) ?? 0) >= offset)) return true;
    if (clock.now() >= until) return false;
    await sleep(POLL_MILLISECONDS);
  }
}
