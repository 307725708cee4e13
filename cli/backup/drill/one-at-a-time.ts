import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { Home } from '../../../core/home.ts';
import { tryLock } from '../../../stack/index.ts';
import { removeDrillHome } from './restore.ts';

/** Lets one drill of a home go on at a time, and first removes what drills that were killed left running. */
export async function oneDrillAtATime<T>(home: Home, work: () => Promise<T>): Promise<T> {
  const lock = tryLock(lockOf(home));
  if (lock === undefined)
    throw new WardlineError('BACKUP_BUSY', 'a drill of this home goes on', { hint: 'wait until it has ended' });
  try {
    await removeDrillHomes(home);
    return await work();
  } finally {
    lock.release();
  }
}

/** Removes what drills that were killed left running; nothing while one goes on. */
export async function removeDeadDrills(home: Home): Promise<void> {
  if (!existsSync(home.paths.drills)) return;
  const lock = tryLock(lockOf(home));
  if (lock === undefined) return;
  try {
    await removeDrillHomes(home);
  } finally {
    lock.release();
  }
}

async function removeDrillHomes({ paths }: Home): Promise<void> {
  if (!existsSync(paths.drills)) return;
  for (const name of readdirSync(paths.drills)) await removeDrillHome(join(paths.drills, name));
}

function lockOf({ paths }: Home): string {
  return join(paths.backup, 'drill-lock');
}
