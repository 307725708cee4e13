import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, type Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { tryLock } from '../../stack/index.ts';
import { storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** What a mark says is under way: a backup counts on objects to stay, a prune removes some. */
export type Undertaking = 'backup' | 'prune';

/** A mark that is older is one of a process that died: no single step takes so long without renewing it. */
const STALE_MILLISECONDS = 60 * 60_000;
const RENEW_MILLISECONDS = 10 * 60_000;
const POLL_MILLISECONDS = 1000;

export interface Marks {
  readonly store: ObjectStore;
  readonly home: Pick<Home, 'install' | 'paths'>;
  readonly clock: Clock;
}

/** The mark of an undertaking that goes on. */
export interface Mark {
  /**
   * MUST be called before what relies on having been seen by others. Throws BACKUP_BUSY where the mark was not renewed in
   * time, because the machine slept or the store was away: others may have taken it for one of a dead process.
   */
  requireUnbroken(): void;
}

/**
 * Says in the store that something is under way, so that processes on other machines see it, and takes the mark back when
 * the work ends. Whoever marks first and looks for the other's mark afterwards cannot miss it, so that of a backup and a
 * prune at the same time at least one sees the other: look for others within `work` only. Marks that killed processes of
 * this home left are taken back first. Throws BACKUP_BUSY where one of this home is at the same.
 */
export async function markUnderWay<T>(
  marks: Marks,
  what: Undertaking,
  id: string,
  work: (mark: Mark) => Promise<T>,
): Promise<T> {
  const { store, home, clock } = marks;
  const lock = tryLock(lockOf(home, what));
  if (lock === undefined)
    throw new WardlineError('BACKUP_BUSY', `a ${what} of this home is under way`, { hint: 'wait until it has ended' });
  try {
    await takeBack(marks, what);
    remember(marks, what, id);
    const name = storeNames(home.install).underWay(what, id);
    let renewed = clock.now();
    let isBroken = false;
    const mark = async (): Promise<void> => {
      const before = clock.now();
      isBroken ||= before - renewed >= STALE_MILLISECONDS;
      await store.put(name, Buffer.from(''));
      renewed = before;
    };
    await mark();
    // What comes of a mark that cannot be renewed is seen where the work asks.
    const renewal = setInterval(() => void mark().catch(() => 0), RENEW_MILLISECONDS).unref();
    const requireUnbroken = (): void => {
      if (!isBroken && clock.now() - renewed < STALE_MILLISECONDS) return;
      throw new WardlineError('BACKUP_BUSY', `the ${what} stood still for so long that others take it to be dead`, {
        hint: 'start it again: what it has done counts',
      });
    };
    try {
      return await work({ requireUnbroken });
    } finally {
      clearInterval(renewal);
      await takeBack(marks, what);
    }
  } finally {
    lock.release();
  }
}

/** Whether any process has marked that it is at this. */
export async function othersUnderWay(marks: Marks, what: Undertaking): Promise<boolean> {
  const { store, home, clock } = marks;
  await takeBackOfDead(marks, what);
  for await (const { modified } of store.list(storeNames(home.install).allUnderWay(what)))
    if (clock.now() - modified < STALE_MILLISECONDS) return true;
  return false;
}

/** Waits until nobody is at this any more. Throws BACKUP_BUSY after `patience` milliseconds. */
export async function waitUntilNoneUnderWay(marks: Marks, what: Undertaking, patience: number): Promise<void> {
  const until = marks.clock.now() + patience;
  while (await othersUnderWay(marks, what)) {
    if (marks.clock.now() >= until)
      throw new WardlineError('BACKUP_BUSY', `a ${what} is under way in ${marks.store.address}`, {
        hint: 'try again when it has ended',
      });
    await sleep(POLL_MILLISECONDS);
  }
}

/** A process of this home that was killed left its mark: others need not wait until it is stale. */
async function takeBackOfDead(marks: Marks, what: Undertaking): Promise<void> {
  if (readIfPresent(memoryOf(marks.home, what)) === undefined) return;
  const lock = tryLock(lockOf(marks.home, what));
  if (lock === undefined) return;
  try {
    await takeBack(marks, what);
  } finally {
    lock.release();
  }
}

/** Removes the mark that this home remembers; only for who holds the lock. */
async function takeBack({ store, home }: Marks, what: Undertaking): Promise<void> {
  const id = readIfPresent(memoryOf(home, what));
  if (id === undefined) return;
  await store.remove(storeNames(home.install).underWay(what, id));
  rmSync(memoryOf(home, what), { force: true });
}

function remember({ home }: Marks, what: Undertaking, id: string): void {
  makeSecretFolder(home.paths.backup);
  writeFileAtomic(memoryOf(home, what), id);
}

function memoryOf({ paths }: Pick<Home, 'paths'>, what: Undertaking): string {
  return join(paths.backup, `${what}-mark`);
}

function lockOf({ paths }: Pick<Home, 'paths'>, what: Undertaking): string {
  return join(paths.backup, what);
}
