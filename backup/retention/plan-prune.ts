import type { Settings } from '../../core/configuration.ts';
import type { WardlineError } from '../../core/errors/errors.ts';
import { readShelf, type ManifestShelf } from '../manifest/stored-manifests.ts';
import { storeNames } from '../naming.ts';
import type { StoredObject } from '../objects/object-store.ts';
import { retain, type RetainedBackup } from './keep.ts';
import { lifetimes, type Lifetimes } from './lifetime.ts';
import { chunksWithoutSeal, planArchive, type ExpiredArchive } from './plan-archive.ts';

/** What nothing names is removed once it is this old, in milliseconds: it may be of a backup whose manifest is still to come. */
export const GRACE_MILLISECONDS = 24 * 3_600_000;

/** A backup whose manifest can be read, and what asks for it to stay. */
export interface PlannedBackup extends RetainedBackup {
  readonly reasons: readonly string[];
  /** What it needs, by the names that its manifest states. */
  readonly objects: readonly string[];
  /** Where a replay of the log archive begins, in milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface UnreadableBackup {
  readonly id: string;
  readonly problem: WardlineError;
}

/** Whether it is damaged, and not one that another version of the product can read. */
export function isDamaged({ problem }: UnreadableBackup): boolean {
  return problem.code === 'BACKUP_DAMAGED';
}

/** An object that no manifest names. */
export interface Garbage extends StoredObject {
  /** As a manifest would name it. */
  readonly object: string;
}

export interface PrunePlan {
  /** The oldest first. */
  readonly backups: readonly PlannedBackup[];
  readonly unreadable: readonly UnreadableBackup[];
  /** Why no object is removed, if so. */
  readonly held: string | undefined;
  readonly garbage: readonly Garbage[];
  readonly archive: readonly ExpiredArchive[];
  /** Parts, marks and chunks that dead processes left. */
  readonly leftovers: readonly StoredObject[];
}

export interface PlanParts {
  readonly shelf: ManifestShelf;
  readonly rules: Settings['backup']['retention'];
  readonly timeZone: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Objects known to be damaged or gone. */
  readonly damaged: ReadonlySet<string>;
  /** Whether backups whose manifests are damaged go as well, because somebody asked for it. */
  readonly removeUnreadable: boolean;
  /** Whether a backup is under way anywhere, as seen after it was marked that a prune is. */
  readonly isBackupUnderWay: boolean;
}

/** Decides what goes; changes nothing. */
export async function planPrune(parts: PlanParts): Promise<PrunePlan> {
  const { shelf, rules, timeZone, now, removeUnreadable, isBackupUnderWay } = parts;
  const lives = lifetimes();
  const { backups, unreadable } = await readBackups(parts, lives);
  const reasons = new Map(retain(backups, rules, { now, timeZone }).map((one) => [one.id, one.reasons]));
  const planned = backups.map((backup) => ({ ...backup, reasons: reasons.get(backup.id) ?? [] }));
  const held = whyHeld({
    unreadable: unreadable.filter((one) => !removeUnreadable || !isDamaged(one)),
    isBackupUnderWay,
  });
  const staying = planned.filter(({ reasons: asked }) => asked.length > 0);
  const needed = new Set(staying.flatMap(({ objects }) => objects));
  const oldestBackup = Math.min(...staying.map(({ startedAt }) => startedAt));
  const before = now - GRACE_MILLISECONDS;
  return {
    ...{ backups: planned, unreadable, held },
    garbage: held === undefined ? await garbageOf(shelf, needed, before) : [],
    archive: held === undefined ? await planArchive(shelf, { oldestBackup, now, lifetimes: lives }) : [],
    leftovers: await leftoversOf(shelf, before),
  };
}

function whyHeld({
  unreadable,
  isBackupUnderWay,
}: {
  readonly unreadable: readonly UnreadableBackup[];
  readonly isBackupUnderWay: boolean;
}): string | undefined {
  if (unreadable.length > 0)
    return `what ${unreadable.map(({ id }) => id).join(', ')} needs cannot be known, since its manifest cannot be read`;
  return isBackupUnderWay ? 'a backup is under way, and may need what no manifest names yet' : undefined;
}

async function readBackups(
  { shelf, damaged }: PlanParts,
  lives: Lifetimes,
): Promise<{
  readonly backups: readonly Omit<PlannedBackup, 'reasons'>[];
  readonly unreadable: readonly UnreadableBackup[];
}> {
  const backups: Omit<PlannedBackup, 'reasons'>[] = [];
  const unreadable: UnreadableBackup[] = [];
  // Most objects are named by many manifests; each name is to be in memory once.
  const names = new Map<string, string>();
  const nameOnce = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    names.set(name, name);
    return name;
  };
  for await (const { id, manifest, problem } of readShelf(shelf)) {
    if (problem !== undefined) unreadable.push({ id, problem });
    if (manifest === undefined) continue;
    const objects = [...new Set(manifest.files.map(({ object }) => nameOnce(object)))];
    backups.push({
      ...{ id, objects, beforeRestore: manifest.beforeRestore },
      snapshotAt: Date.parse(manifest.snapshotAt),
      startedAt: Date.parse(manifest.startedAt),
      lifetime: lives.ofBackup(manifest.contracts),
      isDamaged: objects.some((object) => damaged.has(object)),
    });
  }
  return { backups, unreadable };
}

async function garbageOf(
  { store, install }: ManifestShelf,
  needed: ReadonlySet<string>,
  before: number,
): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for await (const stored of store.list(storeNames(install).contents)) {
    const [, object] = /\/([0-9a-f]{64})\.age$/.exec(stored.name) ?? [];
    if (object !== undefined && stored.modified < before && !needed.has(object)) garbage.push({ ...stored, object });
  }
  return garbage;
}

async function leftoversOf(shelf: ManifestShelf, before: number): Promise<StoredObject[]> {
  const { store, install } = shelf;
  const { allParts, marks } = storeNames(install);
  const leftovers = (await chunksWithoutSeal(shelf)).filter(({ modified }) => modified < before);
  for (const prefix of [allParts, marks])
    for await (const stored of store.list(prefix)) if (stored.modified < before) leftovers.push(stored);
  return leftovers;
}
