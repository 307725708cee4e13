import { asWardlineError } from '../../core/errors/errors.ts';
import { forEachOf } from '../../core/async/for-each.ts';
import { escrowNames } from '../naming.ts';
import { readObject, type ObjectStore, type StoredObject } from '../objects/object-store.ts';
import { decryptBytes, encryptBytes } from '../recipients/age-file.ts';
import { listEscrow } from './listing.ts';

const OBJECTS_AT_ONCE = 16;
const MOST_OBJECT_BYTES = 16 * 1024 * 1024;

export interface EncryptAnew {
  readonly store: ObjectStore;
  readonly install: string;
  /** Private halves of the former recipients, as many as are here. */
  readonly identities: readonly string[];
  readonly recipients: readonly string[];
}

/**
 * Encrypts whatever the escrow holds to other recipients. What none of the identities opens stays as it is, and is
 * counted. Safe to call again after a failure at any point, and beside a source that makes keys.
 */
export async function encryptEscrowAnew(parts: EncryptAnew): Promise<{ encrypted: number; left: number }> {
  const { store, install, identities, recipients } = parts;
  const names = escrowNames(install);
  const counts = { encrypted: 0, left: 0 };
  const encryptOne = async ({ name }: Pick<StoredObject, 'name'>): Promise<void> => {
    try {
      const text = await decryptBytes(identities, await readObject(store, name, MOST_OBJECT_BYTES));
      await store.put(name, await encryptBytes(recipients, text));
      counts.encrypted += 1;
    } catch (error) {
      const { code } = asWardlineError(error);
      // What was removed meanwhile needs nothing.
      if (code === 'OBJECT_NOT_FOUND') return;
      if (code !== 'IDENTITY_WRONG') throw error;
      counts.left += 1;
    }
  };
  await forEachOf(listEscrow(store, names.keys()), OBJECTS_AT_ONCE, encryptOne);
  await forEachOf(store.list(names.keyStores), OBJECTS_AT_ONCE, encryptOne);
  await removeErasedAgain(store, names.keys());
  return counts;
}

/** A copy that was removed between its reading and its writing above is back: of an erased subject none may be. */
async function removeErasedAgain(store: ObjectStore, prefix: string): Promise<void> {
  const erased = new Set<string>();
  const placeOf = (name: string): string => name.slice(0, name.indexOf('.', name.lastIndexOf('/')));
  for await (const { name, kind } of listEscrow(store, prefix)) if (kind === 'erased') erased.add(placeOf(name));
  if (erased.size === 0) return;
  for await (const { name, kind } of listEscrow(store, prefix))
    if (kind === 'key' && erased.has(placeOf(name))) await store.remove(name);
}
