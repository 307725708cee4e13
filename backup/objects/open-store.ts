import { resolve } from 'node:path';
import type { Settings } from '../../core/configuration.ts';
import type { Home } from '../../core/home.ts';
import { folderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';

/** Opens the store that a home's backups and log archive go to. */
export function openBackupStore(home: Home, settings: Settings): ObjectStore {
  return openStore(settings.backup.store ?? home.paths.backupStore, home);
}

/** A folder by its path, which counts from the home. */
function openStore(location: string, home: Home): ObjectStore {
  return folderStore(resolve(home.path, location));
}
