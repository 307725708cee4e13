import { hash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import { scratch } from '../../test/support/scratch.ts';
import { storeNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { readObject, streamOf, type ObjectStore } from '../objects/object-store.ts';
import { retryingStore } from '../objects/retrying-store.ts';
import { decryptBytes } from '../recipients/age-file.ts';
import { openContentJournal } from './content-journal.ts';
import { storeContent } from './contents.ts';

const files = scratch();
const INSTALL = 'install';

/** Takes some of the body, fails once, and then does what it should. */
function failingOnce(store: ObjectStore): ObjectStore {
  let failed = false;
  return {
    ...store,
    async put(name, body) {
      if (failed) return store.put(name, body);
      failed = true;
      for await (const _ of streamOf(body)) break;
      throw new WardlineError('STORE_UNREACHABLE', 'it fails once');
    },
  };
}

describe('a content', () => {
  it.each([
    ['small', 100_000],
    ['large', 6_000_000],
  ])('that is %s is sent anew where the store failed, and vouched for as it was stored', async (name, size) => {
    const bytes = randomBytes(size);
    const path = files.file(name, bytes);
    const identity = await generateX25519Identity();
    const place = folderStore(join(files.folder, `store-${name}`));
    const parts = {
      store: retryingStore(failingOnce(place), { seconds: 10 }),
      install: INSTALL,
      recipients: [await identityToRecipient(identity)],
      namingKey: randomBytes(32),
      journal: await openContentJournal(join(files.folder, `journal-${name}`), () => Promise.resolve([])),
    };
    const file = { keyspace: 'k', table: 't', name, path, bytes: size, identity: name };
    const stored = await storeContent(file, parts);
    expect(stored).toMatchObject({ sha256: hash('sha256', bytes), sent: stored.encryptedBytes });
    const object = await readObject(place, storeNames(INSTALL).content(stored.object));
    expect([hash('sha256', object), object.length]).toEqual([stored.encryptedSha256, stored.encryptedBytes]);
    expect((await decryptBytes([identity], object)).equals(bytes)).toBe(true);
    expect(await storeContent(file, parts)).toMatchObject({ object: stored.object, sent: 0 });
  });
});
