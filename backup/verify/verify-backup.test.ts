import { createHash } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync, rmSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../manifest/manifest.ts';
import { testShelf, type TestShelf } from '../../test/support/backup/shelf.ts';
import { scratch } from '../../test/support/scratch.ts';
import { storeNames } from '../naming.ts';
import { verifyBackup } from './verify-backup.ts';

const { folder } = scratch();
const TIME = Date.UTC(2026, 10, 28);
const CONTENTS = ['the first content', 'the second content', 'the third content'];

describe('verifying a backup', () => {
  let shelf: TestShelf;
  let objects: string[];
  let manifest: Manifest;
  let older: Manifest;

  const pathOf = (object: string): string => join(shelf.folder, storeNames(shelf.install).content(object));
  const withFacts = (names: readonly string[]): Partial<Manifest> => ({
    files: names.map((object, index) => ({
      ...{ node: 'n', keyspace: 'k', table: 't', name: `da-${index}-bti-Data.db`, bytes: 1, sha256: '0'.repeat(64) },
      encryptedBytes: readFileSync(pathOf(object)).length,
      encryptedSha256: createHash('sha256')
        .update(readFileSync(pathOf(object)))
        .digest('hex'),
      object,
    })),
  });
  const verified = (readData: boolean) => verifyBackup(shelf, manifest, { readData, parallel: 2 });
  const kinds = async (readData: boolean) =>
    (await verified(readData)).findings.map(({ kind, object }) => [kind, objects.indexOf(object)]);

  beforeEach(async () => {
    shelf = testShelf(folder);
    objects = await Promise.all(CONTENTS.map((content) => shelf.object(content, TIME)));
    older = await shelf.backup(TIME - 1000, objects, withFacts(objects.slice(0, 1)));
    manifest = await shelf.backup(TIME, objects, withFacts(objects));
  });

  it('finds it whole, by sizes or by every byte', async () => {
    for (const readData of [false, true])
      expect(await verified(readData)).toMatchObject({ id: manifest.id, objects: 3, dataRead: readData, findings: [] });
  });

  it('names an object that is gone, the files that it holds, and every backup that needs it', async () => {
    rmSync(pathOf(objects[0] ?? ''));
    const { findings } = await verified(false);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      kind: 'missing',
      name: storeNames(shelf.install).content(objects[0] ?? ''),
      files: ['k.t/da-0-bti-Data.db'],
      backups: [older.id, manifest.id],
    });
  });

  it('names one that was truncated', async () => {
    truncateSync(pathOf(objects[1] ?? ''), 5);
    expect(await kinds(false)).toEqual([['size', 1]]);
  });

  it('names one that has a flipped bit, or is another of its size, once every byte is read', async () => {
    const bytes = readFileSync(pathOf(objects[2] ?? ''));
    bytes[4] = (bytes[4] ?? 0) ^ 1;
    writeFileSync(pathOf(objects[2] ?? ''), bytes);
    copyFileSync(pathOf(objects[0] ?? ''), pathOf(objects[1] ?? ''));
    truncateSync(pathOf(objects[1] ?? ''), CONTENTS[1]?.length);
    expect(await kinds(false)).toEqual([]);
    expect((await kinds(true)).toSorted()).toEqual([
      ['changed', 1],
      ['changed', 2],
    ]);
  });

  it('takes an object that was encrypted anew, where a proved manifest states its new hash', async () => {
    const path = pathOf(objects[0] ?? '');
    const anew = readFileSync(path).map((byte) => byte ^ 0xff);
    writeFileSync(path, anew);
    expect(await kinds(true)).toEqual([['changed', 0]]);
    await shelf.backup(TIME + 1000, [], withFacts(objects.slice(0, 1)));
    expect(await kinds(true)).toEqual([]);
  });
});
