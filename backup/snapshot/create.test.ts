import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStatement } from '../../audit/event/event.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { testSigner } from '../../test/support/backup/archive-writer.ts';
import { folderNode } from '../../test/support/backup/folder-node.ts';
import { testManifest } from '../../test/support/backup/shelf.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { writeDamaged } from '../manifest/damaged.ts';
import { backupIds, namedBackup } from '../manifest/stored-manifests.ts';
import { storeNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import { decryptBytes } from '../recipients/age-file.ts';
import { createBackup, type BackupParts } from './create.ts';

const signer = testSigner();
const identity = await generateX25519Identity();
const recipients = [await identityToRecipient(identity)];
const namingKey = randomBytes(32);

let temporary: TemporaryHome;
let events: EventStatement[];
let steps: string[];
let disk: string;
let store: ObjectStore;

beforeEach(() => {
  temporary = temporaryHome();
  [events, steps] = [[], []];
  disk = join(temporary.home.path, 'disk');
  mkdirSync(disk);
  store = folderStore(join(temporary.home.path, 'store'));
});
afterEach(() => temporary.remove());

function parts(changed: Partial<BackupParts> = {}): BackupParts {
  const { kafka, cassandra } = testManifest(temporary.home.install, 0, []);
  const node = { id: 'node', address: '', dataCenter: '', rack: '', version: '', tokens: [] };
  const captured =
    <T>(step: string, value: T) =>
    () =>
      Promise.resolve(void steps.push(step)).then(() => value);
  return {
    ...{ home: temporary.home, store, clock: systemClock, namingKey, recipients, contracts: [], parallel: 3 },
    ...{ signingKey: signer.key, trusted: signer.trusted, patience: 1000 },
    ...{ node: folderNode(disk, 'node', (step) => steps.push(step)), nodePatience: 1000 },
    audit: { append: (event) => Promise.resolve(void events.push(event)) },
    captureKafka: captured('kafka', kafka),
    captureCheckpoint: captured('checkpoint', null),
    captureCassandra: captured('cassandra', { ...cassandra, nodes: [node] }),
    ...changed,
  };
}

const file = (name: string, bytes: number): void => writeFileSync(join(disk, name), randomBytes(bytes));
const shelf = () => ({ store, install: temporary.home.install, trusted: signer.trusted });

/** A store that breaks at the nth put of a content. */
function breakingStore(at: number): ObjectStore {
  let puts = 0;
  return {
    ...store,
    put(name, body) {
      if (!name.includes('/objects/')) return store.put(name, body);
      puts += 1;
      return puts < at ? store.put(name, body) : Promise.reject(new WardlineError('STORE_UNREACHABLE', 'away'));
    },
  };
}

describe('making a backup', () => {
  it('captures in order, stores every file encrypted, and the manifest last', async () => {
    for (const [name, bytes] of [
      ['a', 10],
      ['b', 70_000],
      ['c', 5_000_000],
      ['d', 0],
    ] as const)
      file(name, bytes);
    const { id, files, bytes, manifest } = await createBackup(parts());
    expect(steps).toEqual(['clear', 'kafka', 'checkpoint', 'cassandra', 'take', 'clear']);
    expect([files, bytes]).toEqual([4, 5_070_010]);
    expect(await namedBackup(shelf(), 'latest')).toEqual(manifest);
    for (const { object, name, encryptedBytes } of manifest.files) {
      const sealed = await readObject(store, storeNames(temporary.home.install).content(object));
      expect(sealed.length).toBe(encryptedBytes);
      expect((await decryptBytes([identity], sealed)).length).toBe(statSync(join(disk, name)).size);
    }
    expect(events).toMatchObject([{ action: 'backup.create', object: { id }, outcome: 'success' }]);
  });

  it('sends nothing twice, and only what changed', async () => {
    for (const name of ['a', 'b', 'c']) file(name, 1000);
    const first = await createBackup(parts());
    expect((await createBackup(parts())).sent).toBe(0);
    file('c', 1000);
    const third = await createBackup(parts());
    expect(third.sent).toBeGreaterThan(1000);
    expect(third.sent).toBeLessThan(1500);
    expect(first.manifest.files[0]).toEqual(third.manifest.files[0]);
  });

  it('goes on where a call was cut off, and until then there is no backup', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) file(name, 1000);
    expect(await codeOfAsync(() => createBackup(parts({ store: breakingStore(4), parallel: 1 })))).toBe(
      'STORE_UNREACHABLE',
    );
    expect(await backupIds(shelf())).toEqual([]);
    expect(steps.at(-1)).toBe('clear');
    expect(events).toMatchObject([{ action: 'backup.create', outcome: 'failure' }]);
    const { sent, manifest } = await createBackup(parts());
    expect(sent).toBeLessThan(3 * 1500);
    expect(manifest.files).toHaveLength(6);
  });

  it('believes no object that it does not know to be its own', async () => {
    file('a', 1000);
    const { manifest } = await createBackup(parts());
    const [stored] = manifest.files;
    // Another home with the same keys: its store holds an object of that name and size, and no manifest names it.
    const place = storeNames(temporary.home.install).content(stored?.object ?? '');
    await store.remove(storeNames(temporary.home.install).manifest(manifest.id));
    await store.put(place, randomBytes(stored?.encryptedBytes ?? 0));
    writeFileSync(join(temporary.home.paths.backup, 'contents.jsonl'), '');
    const again = await createBackup(parts());
    expect(again.sent).toBe(stored?.encryptedBytes);
    expect((await decryptBytes([identity], await readObject(store, place))).length).toBe(1000);
  });

  it('stores again what is gone from the store, or was found damaged', async () => {
    for (const name of ['a', 'b', 'c']) file(name, 1000);
    const { manifest } = await createBackup(parts());
    const [first, second] = manifest.files.map(({ object }) => object);
    await store.remove(storeNames(temporary.home.install).content(first ?? ''));
    writeDamaged(temporary.home, new Set([second ?? '', 'of another backup']));
    const { sent } = await createBackup(parts());
    expect(sent).toBeGreaterThan(2000);
    expect(sent).toBeLessThan(3000);
    expect((await createBackup(parts())).sent).toBe(0);
  });

  it('of a home that lost its journal reads every file, and sends none that a manifest names', async () => {
    for (const name of ['a', 'b']) file(name, 1000);
    const first = await createBackup(parts());
    const { rmSync } = await import('node:fs');
    rmSync(join(temporary.home.paths.backup, 'contents.jsonl'));
    const second = await createBackup(parts());
    expect(second.sent).toBe(0);
    expect(second.manifest.files).toEqual(first.manifest.files);
  });

  it('of tables that are half restored says so, which is asked when its mark stands', async () => {
    const marks: number[] = [];
    const { manifest } = await createBackup(
      parts({
        isBeforeRestore: () => {
          marks.push(
            readdirSync(join(temporary.home.path, 'store', storeNames(temporary.home.install).allUnderWay('backup')))
              .length,
          );
          return true;
        },
      }),
    );
    expect([manifest.beforeRestore, marks]).toEqual([true, [1]]);
  });

  it('is one at a time in a home', async () => {
    file('a', 1000);
    const both = await Promise.allSettled([createBackup(parts()), createBackup(parts())]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(both[1]).toMatchObject({ reason: { code: 'BACKUP_BUSY' } });
  });
});
