import { WardlineError } from '../../core/errors/errors.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { backupIds, namedBackup, readManifest, type ManifestShelf } from '../manifest/stored-manifests.ts';

/**
 * The backup to restore from: the one that is named, or for `latest` the newest whose snapshot is not younger than `to`
 * (milliseconds since the epoch), since what a snapshot holds cannot be taken away again. Throws BACKUP_NOT_FOUND, USAGE
 * where the named one is younger, BACKUP_DAMAGED, BACKUP_FORMAT.
 */
export async function backupFor(shelf: ManifestShelf, name: string, to: number | undefined): Promise<Manifest> {
  if (to === undefined) return namedBackup(shelf, name);
  if (name !== 'latest') {
    const manifest = await namedBackup(shelf, name);
    if (Date.parse(manifest.snapshotAt) <= to) return manifest;
    throw new WardlineError('USAGE', `backup ${name} holds what was written up to ${manifest.snapshotAt}`, {
      hint: 'name an older backup, or latest, or a later time',
    });
  }
  for (const id of (await backupIds(shelf)).toReversed()) {
    const manifest = await readManifest(shelf, id);
    if (!manifest.beforeRestore && Date.parse(manifest.snapshotAt) <= to) return manifest;
  }
  throw new WardlineError('BACKUP_NOT_FOUND', `no backup is as old as ${new Date(to).toISOString()}`, {
    hint: 'see which there are: wardline backup list',
  });
}
