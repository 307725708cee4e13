import { AUDIT_TOPIC, CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import { expireArchive } from '../archive/expire.ts';
import { archivedTopics } from '../archive/read/read-archive.ts';
import type { ManifestShelf } from '../manifest/stored-manifests.ts';
import { storeNames } from '../naming.ts';
import type { StoredObject } from '../objects/object-store.ts';
import type { Lifetimes } from './lifetime.ts';

/** The beginning of a topic's archive that nobody may need any more. */
export interface ExpiredArchive {
  readonly topic: string;
  /** It holds only what the broker appended before this time, in milliseconds since the epoch. */
  readonly before: number;
  readonly chunks: number;
  readonly bytes: number;
}

/** Kept whole, whatever the retention of anything else: they are what the audit log is proved by. */
const KEPT_WHOLE: readonly string[] = [AUDIT_TOPIC, CHECKPOINTS_TOPIC];

/**
 * What of the log archive goes: chunks older than the retention of their topic, which Kafka itself no longer holds, and
 * older than every backup that stays, since a replay begins where a backup does. A topic that is in no contract stays.
 */
export async function planArchive(
  { store, install, trusted }: ManifestShelf,
  {
    oldestBackup,
    now,
    lifetimes,
  }: { readonly oldestBackup: number; readonly now: number; readonly lifetimes: Lifetimes },
): Promise<ExpiredArchive[]> {
  const expired: ExpiredArchive[] = [];
  for (const topic of await archivedTopics(store, install)) {
    const lifetime = lifetimes.ofTopic(topic);
    if (lifetime === undefined || KEPT_WHOLE.includes(topic)) continue;
    const before = Math.min(oldestBackup, now - lifetime);
    const found = await expireArchive({ store, install, topic, verify: trusted, before, dryRun: true });
    if (found.chunks > 0) expired.push({ topic, before, ...found });
  }
  return expired;
}

/** Chunks in front of a chain, whose seals a removal that was cut short took already. */
export async function chunksWithoutSeal({ store, install }: ManifestShelf): Promise<StoredObject[]> {
  const names = storeNames(install);
  const found: StoredObject[] = [];
  for (const topic of await archivedTopics(store, install)) {
    const before: StoredObject[] = [];
    for await (const object of store.list(names.log(topic))) {
      if (object.name.endsWith('.jws')) {
        // The first seal's own chunk comes right before it.
        found.push(...before.slice(0, -1));
        break;
      }
      before.push(object);
    }
  }
  return found;
}
