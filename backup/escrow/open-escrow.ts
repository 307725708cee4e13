import type { Settings } from '../../core/configuration.ts';
import type { Home } from '../../core/home.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { openEscrowStore, type StoreOptions } from '../objects/open-store.ts';
import { readRecipients } from '../recipients/recovery.ts';
import { createKeyEscrow, type KeyEscrowParts, type SubjectEscrow } from './key-escrow.ts';

/** An escrow of a home, and the store that it lets go of when it is closed. */
export interface OpenEscrow extends SubjectEscrow {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

/**
 * Opens the escrow of a home. Throws IDENTITY_MISSING where nobody is there to escrow for.
 */
export function openEscrow(
  home: Home,
  settings: Settings,
  integrityKey: KeyEscrowParts['integrityKey'],
  options: StoreOptions = {},
): OpenEscrow {
  readRecipients(home);
  const store = openEscrowStore(home, settings, options);
  const recipients = (): readonly string[] => readRecipients(home);
  const escrow = createKeyEscrow({ store, install: home.install, recipients, integrityKey });
  return { ...escrow, store, close: () => store.close() };
}
