import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { openHome, openOrCreateHome, type Home } from '../../core/home.ts';
import { testSigner } from '../../test/support/backup/archive-writer.ts';
import { folderNode } from '../../test/support/backup/folder-node.ts';
import { testManifest } from '../../test/support/backup/shelf.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { readDamaged, writeDamaged } from '../manifest/damaged.ts';
import { backupIds } from '../manifest/stored-manifests.ts';
import { storeNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { createBackup, type BackupParts } from '../snapshot/create.ts';
import { headOf, signDocument, SNAPSHOT_PART, SNAPSHOT_REQUEST, type SnapshotRequest } from './documents.ts';
import { nextRequest, type FoundRequest } from './next-request.ts';
import { takePart, type TakePartParts } from './take-part.ts';

const [A, B] = ['node-a', 'node-b'];
const signer = testSigner();
const recipients = [await identityToRecipient(await generateX25519Identity())];
const namingKey = randomBytes(32);

let folder: string;
let store: ObjectStore;
let homes: Readonly<Record<string, Home>>;
let waitedFor: (readonly string[])[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-test-'));
  store = folderStore(join(folder, 'store'));
  waitedFor = [];
  const first = openOrCreateHome(join(folder, A));
  // A home of the same installation on the host of another node.
  mkdirSync(join(folder, B));
  writeFileSync(join(folder, B, 'home.json'), JSON.stringify({ format: 1, install: first.install }));
  homes = { [A]: first, [B]: openHome(join(folder, B)) };
  for (const node of [A, B]) mkdirSync(disk(node));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const disk = (node: string): string => join(folder, `disk-${node}`);
const homeOf = (node: string): Home => homes[node] as Home;
const file = (node: string, name: string, bytes = 1000): void =>
  writeFileSync(join(disk(node), name), randomBytes(bytes));
const shelf = () => ({ store, install: homeOf(A).install, trusted: signer.trusted });
const audit = { append: () => Promise.resolve() };

function common(node: string) {
  return {
    ...{ home: homeOf(node), store, clock: systemClock, namingKey, recipients, parallel: 2, audit },
    ...{ trusted: signer.trusted, signingKey: signer.key, node: folderNode(disk(node), node), patience: 1000 },
  };
}

function coordinator(changed: Partial<BackupParts> = {}): BackupParts {
  const { kafka, cassandra } = testManifest(homeOf(A).install, 0, []);
  const nodes = [A, B].map((id) => ({ id, address: '', dataCenter: '', rack: '', version: '', tokens: [] }));
  const keyspaces = [{ name: 'ks', cql: '', tables: [] }];
  return {
    ...{ ...common(A), contracts: [], nodePatience: 20_000 },
    captureKafka: () => Promise.resolve(kafka),
    captureCheckpoint: () => Promise.resolve(null),
    captureCassandra: () => Promise.resolve({ ...cassandra, nodes, keyspaces }),
    onWaitingForNodes: (missing) => waitedFor.push(missing),
    ...changed,
  };
}

async function request(patience = 5000): Promise<FoundRequest<SnapshotRequest> | undefined> {
  const look = { ...shelf(), clock: systemClock, node: B, onProblem: () => undefined };
  return nextRequest(look, SNAPSHOT_REQUEST, { patience });
}

async function part(changed: Partial<TakePartParts> = {}) {
  const found = await request();
  if (found === undefined) throw new Error('nothing was asked for');
  return takePart({ ...common(B), nodeId: B, ...changed }, found);
}

async function namesBelow(prefix: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of store.list(prefix)) names.push(name);
  return names;
}

const leftParts = (): Promise<readonly string[]> => namesBelow(storeNames(homeOf(A).install).allParts);

/** The code with which a backup fails while another host does something else than its part. */
async function failing(other: (found: FoundRequest<SnapshotRequest>) => Promise<unknown>): Promise<string> {
  const backup = codeOfAsync(() => createBackup(coordinator()));
  const found = await request();
  if (found === undefined) throw new Error('nothing was asked for');
  await other(found);
  return backup;
}

describe('a backup of two nodes', () => {
  it('has the files of both in one manifest, and leaves no parts', async () => {
    for (const name of ['a1', 'a2']) file(A, name);
    for (const name of ['b1', 'b2', 'b3']) file(B, name);
    const [backup, done] = await Promise.all([createBackup(coordinator()), part()]);
    expect(backup.manifest.files.map(({ node, name }) => `${node}/${name}`)).toEqual([
      'node-a/a1',
      'node-a/a2',
      'node-b/b1',
      'node-b/b2',
      'node-b/b3',
    ]);
    expect(done).toMatchObject({ backup: backup.id, node: B, files: 3, bytes: 3000 });
    expect(backup.sent).toBeGreaterThan(5000);
    expect(await leftParts()).toEqual([]);
    for (const { object } of backup.manifest.files)
      expect(await store.stat(storeNames(homeOf(A).install).content(object))).toBeDefined();
  });

  it('names the node whose part is missing, and is none', async () => {
    file(A, 'a1');
    const failed = createBackup(coordinator({ nodePatience: 700 }));
    await expect(failed).rejects.toMatchObject({ code: 'NODE_MISSING', message: expect.stringContaining(B) as string });
    expect(waitedFor).toEqual([[B]]);
    expect(await backupIds(shelf())).toEqual([]);
    expect(await leftParts()).toEqual([]);
    expect(await request(0)).toBeUndefined();
  });

  it('takes a part that was cut off and begun again', async () => {
    for (const name of ['b1', 'b2', 'b3']) file(B, name);
    let puts = 0;
    const breaking: ObjectStore = {
      ...store,
      put(name, body) {
        if (name.includes('/objects/')) puts += 1;
        return puts < 2 ? store.put(name, body) : Promise.reject(new WardlineError('STORE_UNREACHABLE', 'away'));
      },
    };
    const backup = createBackup(coordinator());
    expect(await codeOfAsync(() => part({ store: breaking, parallel: 1 }))).toBe('STORE_UNREACHABLE');
    const { sent } = await part();
    expect(sent).toBeLessThan(3 * 1000);
    expect((await backup).manifest.files).toHaveLength(3);
  });

  it('has what was damaged stored again by the node that holds it', async () => {
    file(B, 'b1');
    const [{ manifest }] = await Promise.all([createBackup(coordinator()), part()]);
    const object = manifest.files[0]?.object ?? '';
    writeDamaged(homeOf(A), new Set([object]));
    const [, { sent }] = await Promise.all([createBackup(coordinator()), part()]);
    expect(sent).toBeGreaterThan(1000);
    expect(readDamaged(homeOf(A)).size).toBe(0);
  });
});

describe('a part is refused', () => {
  const document = (found: FoundRequest<SnapshotRequest>) => ({
    ...{ ...headOf(homeOf(A).install, found.request.id), node: B, request: found.sha256 },
    ...{ snapshotAt: new Date().toISOString(), sent: 0, files: [] },
  });
  const put = (found: FoundRequest<SnapshotRequest>, text: string): Promise<number> =>
    store.put(storeNames(homeOf(A).install).part(found.request.id, B), Buffer.from(text));

  it('where somebody else signed it', async () => {
    const stranger = testSigner().key;
    expect(await failing((found) => put(found, signDocument(SNAPSHOT_PART, document(found), stranger)))).toBe(
      'BACKUP_DAMAGED',
    );
    expect(await backupIds(shelf())).toEqual([]);
  });

  it('where it answers another request', async () => {
    const older = { request: '0'.repeat(64) };
    expect(
      await failing((found) => put(found, signDocument(SNAPSHOT_PART, { ...document(found), ...older }, signer.key))),
    ).toBe('BACKUP_DAMAGED');
  });

  it('where it names files of another node, or what was not asked for', async () => {
    const { files } = testManifest(homeOf(A).install, 0, ['0'.repeat(64)]);
    for (const more of [{}, { node: B, keyspace: 'other' }]) {
      const foreign = files.map((one) => ({ ...one, ...more }));
      expect(
        await failing((found) =>
          put(found, signDocument(SNAPSHOT_PART, { ...document(found), files: foreign }, signer.key)),
        ),
      ).toBe('BACKUP_DAMAGED');
    }
  });
});

describe('a request is refused', () => {
  it('where it asks for keys, or is encrypted to others', async () => {
    const asked = { sha256: '0'.repeat(64), request: await requestOf({ keyspaces: ['keys'] }) };
    const done = (found: FoundRequest<SnapshotRequest>) =>
      codeOfAsync(() => takePart({ ...common(B), nodeId: B }, found));
    expect(await done(asked)).toBe('REFUSED_BY_POLICY');
    expect(await done({ ...asked, request: await requestOf({ recipients: ['age1another'] }) })).toBe(
      'REFUSED_BY_POLICY',
    );
  });

  it('where nobody waits for it any more, or it is not for this node', async () => {
    const names = storeNames(homeOf(A).install);
    const over = await requestOf({ until: new Date(Date.now() - 1).toISOString() });
    const elsewhere = await requestOf({ nodes: [A] });
    for (const one of [over, elsewhere]) {
      await store.put(names.request(one.id), Buffer.from(signDocument(SNAPSHOT_REQUEST, one, signer.key)));
      expect(await request(0)).toBeUndefined();
    }
    const good = await requestOf({});
    await store.put(names.request(good.id), Buffer.from(signDocument(SNAPSHOT_REQUEST, good, testSigner().key)));
    expect(await request(0)).toBeUndefined();
    await store.put(names.request(good.id), Buffer.from(signDocument(SNAPSHOT_REQUEST, good, signer.key)));
    expect((await request(0))?.request).toEqual(good);
  });

  async function requestOf(changed: Partial<SnapshotRequest>): Promise<SnapshotRequest> {
    const { KEYS_KEYSPACE } = await import('../../security/principals/names.ts');
    const keyspaces = (changed.keyspaces ?? ['ks']).map((name) => (name === 'keys' ? KEYS_KEYSPACE : name));
    const head = { ...headOf(homeOf(A).install, '20260101T000000Z-000000'), nodes: [B], recipients, damaged: [] };
    return { ...head, until: new Date(Date.now() + 60_000).toISOString(), ...changed, keyspaces };
  }
});
