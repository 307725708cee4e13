import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { BACKUP_ID, storeNames } from '../naming.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import type { Manifest } from './manifest.ts';
import { openManifest } from './signed-manifest.ts';

/** Where an installation's manifests are, and whom they are believed from. */
export interface ManifestShelf {
  readonly store: ObjectStore;
  readonly install: string;
  readonly trusted: TrustedKeys;
}

const MOST_MANIFEST_BYTES = 512 * 1024 * 1024;

/** The ids of all backups of the installation, the oldest first, whether their manifests are whole or not. */
export async function backupIds({
  store,
  install,
}: Pick<ManifestShelf, 'store' | 'install'>): Promise<readonly string[]> {
  const { manifests } = storeNames(install);
  const ids: string[] = [];
  for await (const { name } of store.list(manifests)) {
    const id = name.slice(manifests.length, -'.jws'.length);
    if (name.endsWith('.jws') && BACKUP_ID.test(id)) ids.push(id);
  }
  return ids;
}

/** A backup's manifest. Throws BACKUP_NOT_FOUND, BACKUP_DAMAGED, BACKUP_FORMAT. */
export async function readManifest({ store, install, trusted }: ManifestShelf, backup: string): Promise<Manifest> {
  let text: Buffer;
  try {
    text = await readObject(store, storeNames(install).manifest(backup), MOST_MANIFEST_BYTES);
  } catch (error) {
    if (asWardlineError(error).code !== 'OBJECT_NOT_FOUND') throw error;
    throw new WardlineError('BACKUP_NOT_FOUND', `there is no backup ${backup} in ${store.address}`, {
      hint: 'see which there are: wardline backup list',
    });
  }
  return openManifest(text.toString('utf8'), backup, install, trusted);
}

/** A manifest, or why it cannot be read. */
export interface ShelvedBackup {
  readonly id: string;
  readonly manifest: Manifest | undefined;
  readonly problem: WardlineError | undefined;
}

/** Every backup of the installation, the oldest first, one after another. Rejects where the store cannot be asked. */
export async function* readShelf(shelf: ManifestShelf): AsyncGenerator<ShelvedBackup> {
  for (const id of await backupIds(shelf)) {
    try {
      yield { id, manifest: await readManifest(shelf, id), problem: undefined };
    } catch (error) {
      const problem = asWardlineError(error);
      // Removed since it was listed: then it is none.
      if (problem.code === 'BACKUP_NOT_FOUND') continue;
      if (problem.code !== 'BACKUP_DAMAGED' && problem.code !== 'BACKUP_FORMAT') throw error;
      yield { id, manifest: undefined, problem };
    }
  }
}

/**
 * The backup that a command names: an id, or `latest`, which is the newest that is no safety copy. Throws
 * BACKUP_NOT_FOUND; and BACKUP_DAMAGED where the newest is damaged: an older one is never taken in its place unasked.
 */
export async function namedBackup(shelf: ManifestShelf, name: string): Promise<Manifest> {
  if (name !== 'latest') {
    if (BACKUP_ID.test(name)) return readManifest(shelf, name);
    throw new WardlineError('USAGE', `${name} is no id of a backup`, {
      hint: 'see which there are: wardline backup list',
    });
  }
  for (const id of (await backupIds(shelf)).toReversed()) {
    const manifest = await readManifest(shelf, id);
    if (!manifest.beforeRestore) return manifest;
  }
  throw new WardlineError('BACKUP_NOT_FOUND', `there is no backup in ${shelf.store.address} yet`, {
    hint: 'make one with: wardline backup create',
  });
}
