import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { chainBounds, sealsWithin } from './read/chain.ts';

export interface ExpireOptions {
  readonly store: Pick<ObjectStore, 'get' | 'list' | 'remove'>;
  readonly install: string;
  readonly topic: string;
  readonly verify: TrustedKeys;
  /**
   * Chunks are removed that hold nothing which the broker appended at or after this time, in milliseconds since the epoch:
   * no later than the snapshot of the oldest backup that is kept.
   */
  readonly before: number;
  /** Counts, and removes nothing. */
  readonly dryRun?: boolean;
}

/**
 * Removes the beginning of a topic's chain, the oldest chunk first, so that what is left is a chain wherever the removal
 * was cut short; the last chunk stays, since archiving goes on behind it. Returns what was removed. MUST NOT be used on the
 * audit log and its checkpoints, which are kept whole. Throws BACKUP_DAMAGED at a seal that is not the archiver's.
 */
export async function expireArchive(
  options: ExpireOptions,
): Promise<{ readonly chunks: number; readonly bytes: number }> {
  const { store, install, topic, verify, before, dryRun = false } = options;
  const names = storeNames(install);
  const removed = { chunks: 0, bytes: 0 };
  const bounds = await chainBounds(store, install, topic);
  if (bounds === undefined) return removed;
  const old = { first: bounds.first, next: bounds.next - 1 };
  for await (const { sequence, ranges, encryptedBytes } of sealsWithin(store, install, topic, verify, old)) {
    if (ranges.some(({ lastTime }) => lastTime >= before)) break;
    if (!dryRun) {
      // Without its seal a chunk counts for nothing; a seal without its chunk would be damage.
      await store.remove(names.chunkSeal(topic, sequence));
      await store.remove(names.chunk(topic, sequence));
    }
    removed.chunks += 1;
    removed.bytes += encryptedBytes;
  }
  return removed;
}
