import { join } from 'node:path';
import { clearStaging } from '../../backup/restore/table/import-table.ts';
import { othersUnderWay, waitUntilNoneUnderWay } from '../../backup/snapshot/under-way.ts';
import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { holderOf, tryLock } from '../../stack/index.ts';
import type { CommandContext } from '../context.ts';

/**
 * Restores one at a time: two would take each other's staged files and empty each other's tables. What a call that was
 * killed staged goes first, and what this one staged goes however it ends. Throws BACKUP_BUSY.
 */
export async function aloneRestoring<T>(home: Home, work: () => Promise<T>): Promise<T> {
  const path = join(home.paths.backup, 'restore');
  const lock = tryLock(path);
  if (lock === undefined)
    throw new WardlineError(
      'BACKUP_BUSY',
      `a restore into this home is under way (process ${holderOf(path)?.pid ?? 'unknown'})`,
      { hint: 'wait until it has ended' },
    );
  try {
    await clearStaging(home);
    return await work();
  } finally {
    await clearStaging(home).finally(() => lock.release());
  }
}

/** Waits, and says so, while a backup of the home is under way. Throws BACKUP_BUSY after the store's patience. */
export async function noBackupUnderWay(context: CommandContext, { store }: ManifestShelf): Promise<void> {
  const marks = { store, home: context.home(), clock: systemClock };
  if (!(await othersUnderWay(marks, 'backup'))) return;
  context.output.note('waiting for the backup that is under way');
  await waitUntilNoneUnderWay(marks, 'backup', context.settings().backup.patienceSeconds * 1000);
}
