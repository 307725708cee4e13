import type { ObjectStore } from '../objects/object-store.ts';
import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { archivedTopics } from '../archive/read/read-archive.ts';
import { chainBounds, readSeal } from '../archive/read/chain.ts';

export interface LossWindow {
  /** Up to when everything that was appended is in the log archive, in milliseconds since the epoch. */
  readonly archivedUntil: number | undefined;
  /** The last sign of life of the lost servers, in milliseconds since the epoch. */
  readonly lastSign: number | undefined;
  /** What lies between: records of so many seconds may be lost. Undefined where either is unknown. */
  readonly seconds: number | undefined;
}

/**
 * How much a loss can have taken at most: the time between the end of the log archive and the last sign of life of the
 * servers. `before` leaves out what was archived of the servers that took their place. A topic whose last message is older
 * than another's had none since, or has one that waited in an unfinished chunk, for `chunkSeconds` at most.
 */
export async function lossWindow(
  archive: {
    readonly store: Pick<ObjectStore, 'get' | 'list'>;
    readonly install: string;
    readonly verify: TrustedKeys;
  },
  lastSign: number | undefined,
  { before, chunkSeconds }: { readonly before: number; readonly chunkSeconds: number },
): Promise<LossWindow> {
  const ends: number[] = [];
  for (const topic of await archivedTopics(archive.store, archive.install)) {
    const last = await lastArchived(archive, topic, before);
    if (last !== undefined) ends.push(last);
  }
  const surely = Math.max(...ends) - chunkSeconds * 1000;
  const archivedUntil = ends.length === 0 ? undefined : Math.min(...ends.map((end) => Math.max(end, surely)));
  const seconds =
    archivedUntil === undefined || lastSign === undefined ? undefined : Math.max(0, (lastSign - archivedUntil) / 1000);
  return { archivedUntil, lastSign, seconds };
}

/** From the end of the chain back: what came after is of minutes at most. */
async function lastArchived(
  { store, install, verify }: Parameters<typeof lossWindow>[0],
  topic: string,
  before: number,
): Promise<number | undefined> {
  const bounds = await chainBounds(store, install, topic);
  if (bounds === undefined) return undefined;
  for (let sequence = bounds.next - 1; sequence >= bounds.first; sequence -= 1) {
    const { seal } = await readSeal(store, install, topic, sequence, verify);
    const times = seal.ranges.map(({ lastTime }) => lastTime).filter((time) => time < before);
    if (times.length > 0) return Math.max(...times);
  }
  return undefined;
}
