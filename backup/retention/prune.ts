import type { AuditLog } from '../../audit/event/event.ts';
import { forEachOf } from '../../core/async/for-each.ts';
import type { Clock } from '../../core/clock.ts';
import type { Settings } from '../../core/configuration.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { expireArchive } from '../archive/expire.ts';
import { newBackupId, storeNames } from '../naming.ts';
import type { ObjectStore, StoredObject } from '../objects/object-store.ts';
import { markUnderWay, othersUnderWay, type Mark } from '../snapshot/under-way.ts';
import { GRACE_MILLISECONDS, isDamaged, planPrune, type PlanParts, type PrunePlan } from './plan-prune.ts';

export interface PruneParts {
  readonly home: Pick<Home, 'install' | 'paths'>;
  readonly store: ObjectStore;
  readonly trusted: TrustedKeys;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly clock: Clock;
  readonly settings: Pick<Settings['backup'], 'retention' | 'schedule'>;
  readonly damaged: ReadonlySet<string>;
  readonly removeUnreadable: boolean;
  readonly onProgress?: (removed: number, of: number) => void;
}

export interface PruneSummary {
  readonly plan: PrunePlan;
  /** Backups that are none any more. */
  readonly removedBackups: readonly string[];
  readonly removedObjects: number;
  readonly removedBytes: number;
  /** Of the log archive. */
  readonly removedChunks: number;
  /** What the store would not remove, such as what is locked, by name: with why. */
  readonly refused: ReadonlyMap<string, string>;
}

/** More ids are stated in several events, so that none is too large. */
const IDS_OF_AN_EVENT = 1000;
const REMOVALS_AT_ONCE = 8;

/** What `prune` would do now; changes nothing. */
export async function previewPrune(parts: PruneParts): Promise<PrunePlan> {
  const isBackupUnderWay = await othersUnderWay(parts, 'backup');
  return planPrune(planParts(parts, isBackupUnderWay));
}

/**
 * Removes the backups that no rule asks for, and then the objects that no manifest names. First of all it is on the
 * record. A backup's manifest goes before anything that it needs, so that a call that is killed leaves no backup with
 * parts missing; called again, the rest goes. No object goes while a backup is under way anywhere, nor while a manifest
 * cannot be read, nor in its first day. Throws BACKUP_BUSY where a prune of this home is under way.
 */
export async function prune(parts: PruneParts): Promise<PruneSummary> {
  const id = newBackupId(parts.clock.now());
  return markUnderWay(parts, 'prune', id, async (mark) => {
    // A backup that begins from here on waits; one that was seen to have ended has its manifest in the store.
    const isBackupUnderWay = await othersUnderWay(parts, 'backup');
    const plan = await planPrune(planParts(parts, isBackupUnderWay));
    await stateOnRecord(parts, plan);
    const removal = createRemoval(parts, mark);
    return await carryOut(parts, plan, removal);
  });
}

async function carryOut(parts: PruneParts, plan: PrunePlan, removal: Removal): Promise<PruneSummary> {
  const { store, home, audit, clock } = parts;
  const names = storeNames(home.install);
  const going = leaving(parts, plan);
  const { removed: manifests } = await removal.removeAll(going.map((id) => ({ name: names.manifest(id), bytes: 0 })));
  const removedBackups = going.filter((id) => manifests.has(names.manifest(id)));
  // A backup that the store holds on to keeps what it needs.
  const stays = new Set(going.filter((id) => !manifests.has(names.manifest(id))));
  const needed = new Set(plan.backups.filter(({ id }) => stays.has(id)).flatMap(({ objects }) => objects));
  const isBlind = plan.unreadable.some(({ id }) => stays.has(id));
  const startOfStaying = plan.backups.filter(({ id }) => stays.has(id)).map(({ startedAt }) => startedAt);
  const garbage = isBlind ? [] : plan.garbage.filter(({ object }) => !needed.has(object));
  const { removed, bytes } = await removal.removeAll(garbage);
  const removedChunks = isBlind ? 0 : await expireAll(parts, plan, Math.min(...startOfStaying), removal);
  await removal.removeAll(plan.leftovers);
  await store.removeUnfinished(clock.now() - GRACE_MILLISECONDS);
  if (removal.refused.size > 0)
    await audit.append({
      action: 'backup.prune',
      object: { type: 'home', id: home.install },
      outcome: 'failure',
      code: 'STORE_REFUSED',
      counts: { refused: removal.refused.size },
    });
  const { refused } = removal;
  return { plan, removedBackups, removedObjects: removed.size, removedBytes: bytes, removedChunks, refused };
}

/** Removes what is expired of the log archive, and says how many chunks; none that a backup needs which began at `start`. */
async function expireAll(
  { home, trusted }: PruneParts,
  { archive }: PrunePlan,
  start: number,
  removal: Removal,
): Promise<number> {
  let chunks = 0;
  for (const { topic, before } of archive) {
    const options = { store: removal.store, install: home.install, topic, verify: trusted };
    try {
      chunks += (await expireArchive({ ...options, before: Math.min(before, start) })).chunks;
    } catch (error) {
      removal.note(storeNames(home.install).log(topic), error);
    }
  }
  return chunks;
}

/** Ids of the backups that go. */
export function leaving(
  { removeUnreadable }: Pick<PruneParts, 'removeUnreadable'>,
  plan: PrunePlan,
): readonly string[] {
  const unwanted = plan.backups.filter(({ reasons }) => reasons.length === 0);
  return [...(removeUnreadable ? plan.unreadable.filter(isDamaged) : []), ...unwanted].map(({ id }) => id);
}

async function stateOnRecord(parts: PruneParts, plan: PrunePlan): Promise<void> {
  const ids = leaving(parts, plan);
  const objects = { objects: plan.garbage.length, bytes: plan.garbage.reduce((sum, { bytes }) => sum + bytes, 0) };
  const chunks = plan.archive.reduce((sum, one) => sum + one.chunks, 0);
  if (ids.length + plan.garbage.length + plan.leftovers.length + chunks === 0) return;
  for (let first = 0; first === 0 || first < ids.length; first += IDS_OF_AN_EVENT) {
    const some = ids.slice(first, first + IDS_OF_AN_EVENT);
    await parts.audit.append({
      action: 'backup.prune',
      object: { type: 'home', id: parts.home.install },
      outcome: 'success',
      counts: { backups: some.length, ...(first === 0 ? { ...objects, chunks } : {}) },
      details: { backups: some },
    });
  }
}

interface Removal {
  readonly refused: ReadonlyMap<string, string>;
  /** Notes that something was not removed, where the store refused it. Throws whatever else it was. */
  note(name: string, error: unknown): void;
  /** The store, which removes as long as others see the prune. */
  readonly store: ObjectStore;
  /** Removes some, several at once, and says which are gone. What the store refuses to remove is noted and passed over. */
  removeAll(
    objects: readonly Pick<StoredObject, 'name' | 'bytes'>[],
  ): Promise<{ readonly removed: ReadonlySet<string>; readonly bytes: number }>;
}

function createRemoval({ store, onProgress }: PruneParts, mark: Mark): Removal {
  const refused = new Map<string, string>();
  const remove = async (name: string): Promise<void> => {
    mark.requireUnbroken();
    await store.remove(name);
  };
  const note = (name: string, error: unknown): void => {
    const { code, message } = asWardlineError(error);
    if (code !== 'STORE_REFUSED') throw error;
    refused.set(name, message);
  };
  return {
    ...{ refused, note },
    store: { ...store, remove },
    async removeAll(objects) {
      const removed = new Set<string>();
      let bytes = 0;
      await forEachOf(objects, REMOVALS_AT_ONCE, async ({ name, bytes: size }) => {
        try {
          await remove(name);
        } catch (error) {
          note(name, error);
          return;
        }
        removed.add(name);
        bytes += size;
        onProgress?.(removed.size, objects.length);
      });
      return { removed, bytes };
    },
  };
}

function planParts(parts: PruneParts, isBackupUnderWay: boolean): PlanParts {
  const { store, home, trusted, settings, clock, damaged, removeUnreadable } = parts;
  return {
    ...{ shelf: { store, install: home.install, trusted }, now: clock.now() },
    ...{ rules: settings.retention, timeZone: settings.schedule.timeZone, damaged, removeUnreadable, isBackupUnderWay },
  };
}
