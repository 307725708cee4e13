import { resolve } from 'node:path';
import type { Settings } from '../../core/configuration.ts';
import type { Home } from '../../core/home.ts';
import { folderStore } from './folder-store.ts';
import { limitedStore } from './limited-store.ts';
import type { ObjectStore } from './object-store.ts';
import { retryingStore, type Patience } from './retrying-store.ts';
import { storeAsOf } from './store-as-of.ts';
import { isS3, parseS3Location, type S3Location } from './s3/location.ts';

export interface StoreOptions extends Omit<Patience, 'seconds'> {
  /** As the settings say where it is left out: `backup.patienceSeconds`. */
  readonly patienceSeconds?: number | undefined;
  /** For all that is written and read, together. Without it there is no limit. */
  readonly bytesPerSecond?: number | undefined;
}

/** Opens the store that a home's backups and log archive go to: a folder, or a bucket of an S3 server. */
export function openBackupStore(home: Home, settings: Settings, options: StoreOptions = {}): ObjectStore {
  const { store = home.paths.backupStore, s3 } = settings.backup;
  return wrapped(
    openStore(home, store, async (location) => {
      const { s3Place, s3Store } = await import('./s3/index.ts');
      return s3Store(s3Place(location, s3), s3.lockDays);
    }),
    settings,
    options,
  );
}

/**
 * Opens the store that keys are escrowed in. In a bucket, whatever is removed is gone: one that keeps versions or has
 * object lock is STORE_REFUSED at the first put, and at each removal.
 */
export function openEscrowStore(home: Home, settings: Settings, options: StoreOptions = {}): ObjectStore {
  const { escrow = home.paths.escrowStore, s3 } = settings.backup;
  return wrapped(
    openStore(home, escrow, async (location) => {
      const { requireErasable, s3Place, s3Store } = await import('./s3/index.ts');
      const place = s3Place(location, s3);
      return requireErasable(s3Store(place), place);
    }),
    settings,
    options,
  );
}

/** A folder by its path, which counts from the home, or what `openS3` gives. */
function openStore(home: Home, text: string, openS3: (location: S3Location) => Promise<ObjectStore>): ObjectStore {
  if (!isS3(text)) return folderStore(resolve(home.path, text));
  const location = parseS3Location(text);
  return lateStore(location.address, () => openS3(location));
}

function wrapped(store: ObjectStore, settings: Settings, options: StoreOptions): ObjectStore {
  const { patienceSeconds: seconds = settings.backup.patienceSeconds, bytesPerSecond, ...patience } = options;
  const { asOf } = settings.backup;
  const seen = asOf === undefined ? store : storeAsOf(store, Date.parse(asOf));
  const limited = bytesPerSecond === undefined ? seen : limitedStore(seen, bytesPerSecond);
  return retryingStore(limited, { seconds, ...patience });
}

/** A store that is opened when it is first used: loading the AWS SDK takes longer than most commands. */
function lateStore(address: string, open: () => Promise<ObjectStore>): ObjectStore {
  let opened: Promise<ObjectStore> | undefined;
  const store = (): Promise<ObjectStore> => (opened ??= open());
  return {
    address,
    put: async (name, body) => (await store()).put(name, body),
    async *get(name) {
      yield* (await store()).get(name);
    },
    stat: async (name) => (await store()).stat(name),
    async *list(prefix) {
      yield* (await store()).list(prefix);
    },
    remove: async (name) => (await store()).remove(name),
    removeUnfinished: async (before) => (await store()).removeUnfinished(before),
    close: async () => (await opened)?.close(),
  };
}
