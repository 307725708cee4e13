import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SensitiveClass } from '../../core/classification.ts';
import type { KeyPlace } from '../../security/keyring/data-key.ts';
import { createKeyring, type Keyring } from '../../security/keyring/keyring.ts';
import { unwrapDataKey, wrapDataKey, type Kek } from '../../security/keyring/wrapped-key.ts';
import { memoryDekTable, type MemoryDekTable } from '../../test/support/memory-dek-table.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { escrowNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { readObject, type ObjectStore } from '../objects/object-store.ts';
import { createKeyEscrow, type SubjectEscrow } from './key-escrow.ts';
import { listEscrow } from './listing.ts';
import { restoreKeys, type RestoredKeys } from './restore-keys.ts';

const INSTALL = '7c8d2f0e-0000-4000-8000-000000000000';
const CONTRACT = 'smart-home';

let identity: string;
let recipient: string;
let kek: Kek;
let temporary: TemporaryHome;
let store: ObjectStore;
let escrow: SubjectEscrow;
let tables: Map<SensitiveClass, MemoryDekTable>;
const keyrings: Keyring[] = [];

const integrityKey = (): Buffer => Buffer.alloc(32, 7);
const keyStore = {
  integrityKey,
  wrapDek: (dataKey: Parameters<typeof wrapDataKey>[0]) => wrapDataKey(dataKey, kek),
  unwrapDek: (wrapped: string, expected: Parameters<typeof unwrapDataKey>[2]) => unwrapDataKey(wrapped, kek, expected),
};

beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  const key = await crypto.subtle.generateKey({ name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey']);
  kek = { kid: 'kek', key };
});
beforeEach(() => {
  temporary = temporaryHome();
  store = folderStore(temporary.home.paths.escrowStore);
  escrow = createKeyEscrow({ store, install: INSTALL, recipients: () => [recipient], integrityKey });
  loseCassandra();
});
afterEach(() => {
  for (const keyring of keyrings.splice(0)) keyring.close();
  temporary.remove();
});

function loseCassandra(): void {
  tables = new Map();
}

function table(_contract: string, classification: SensitiveClass): MemoryDekTable {
  const known = tables.get(classification) ?? memoryDekTable();
  tables.set(classification, known);
  return known;
}

function keyring(): Keyring {
  const made = createKeyring({
    ...{ table, keyStore, escrow, random: randomBytes, clock: { now: () => Date.now() } },
    announce: () => Promise.resolve(),
  });
  keyrings.push(made);
  return made;
}

function place(subject: string, classification: SensitiveClass = 'personal'): KeyPlace {
  return { contract: CONTRACT, subject, classification };
}

function restore(different: { identities?: readonly string[] } = {}): Promise<RestoredKeys> {
  return restoreKeys({
    ...{ store, install: INSTALL, identities: [identity], recipients: () => [recipient], table, keyStore },
    ...different,
  });
}

describe('keys after a loss of Cassandra', () => {
  it('open what they sealed: every subject, class and generation', async () => {
    const before = keyring();
    const kept: { place: KeyPlace; kid: string; key: string }[] = [];
    for (const subject of ['home-0001', 'home-0002', 'home-0003'])
      for (const classification of ['personal', 'restricted'] as const) {
        const where = place(subject, classification);
        const first = await before.current(where);
        kept.push({ place: where, kid: first.kid, key: first.key.toString('hex') });
        const second = await before.next(where, first.kid);
        kept.push({ place: where, kid: second.kid, key: second.key.toString('hex') });
      }
    loseCassandra();
    expect(await restore()).toEqual({ restored: 12, present: 0, erased: 0, failed: [] });
    const after = keyring();
    for (const { place: where, kid, key } of kept)
      expect((await after.byKid(where, kid)).key.toString('hex')).toBe(key);
    const { rows } = await table(CONTRACT, 'personal').readAll('home-0001');
    expect(rows.map(({ generation, state }) => [generation, state])).toEqual([
      [1, 'retired'],
      [2, 'active'],
    ]);
    expect(await restore()).toEqual({ restored: 0, present: 12, erased: 0, failed: [] });
  });

  it('do not come back for an erased subject, nor are new ones made', async () => {
    const before = keyring();
    for (const subject of ['home-0001', 'home-0002']) await before.current(place(subject));
    await table(CONTRACT, 'personal').destroy('home-0001', 5);
    await escrow.erase(CONTRACT, 'home-0001', 5);
    loseCassandra();
    expect(await restore()).toMatchObject({ restored: 1, erased: 2, failed: [] });
    await expect(keyring().current(place('home-0001'))).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
    await expect(keyring().current(place('home-0001', 'restricted'))).rejects.toMatchObject({ code: 'KEY_DESTROYED' });
    expect((await keyring().current(place('home-0002'))).generation).toBe(1);
  });

  it('do not come back for a subject that the table says is erased, where the escrow was not reached yet', async () => {
    await keyring().current(place('home-0001'));
    loseCassandra();
    await table(CONTRACT, 'personal').destroy('home-0001', 5);
    expect(await restore()).toEqual({ restored: 0, present: 0, erased: 1, failed: [] });
    expect((await table(CONTRACT, 'personal').readAll('home-0001')).rows).toEqual([]);
  });

  it('are all there where two are of one generation, and so is what either sealed', async () => {
    const sealing = await keyring().current(place('home-0001'));
    const [kid, hex] = [sealing.kid, sealing.key.toString('hex')];
    const stray = { ...sealing, kid: randomBytes(18).toString('base64url'), key: randomBytes(32) };
    const wrapped = await wrapDataKey(stray, kek);
    await escrow.keep({ ...place('home-0001'), generation: 1, kid: stray.kid, createdAt: 5, wrapped });
    loseCassandra();
    expect(await restore()).toMatchObject({ restored: 2, failed: [] });
    const after = keyring();
    expect((await after.byKid(place('home-0001'), kid)).key.toString('hex')).toBe(hex);
    expect((await after.byKid(place('home-0001'), stray.kid)).key.equals(stray.key)).toBe(true);
    expect((await after.current(place('home-0001'))).generation).toBe(3);
    // The escrow says the same as the table again.
    const escrowed: string[] = [];
    for await (const entry of listEscrow(store, escrowNames(INSTALL).keys(CONTRACT)))
      if (entry.kind === 'key') escrowed.push(`${entry.generation} ${entry.kid}`);
    const { rows } = await table(CONTRACT, 'personal').readAll('home-0001');
    expect(escrowed.toSorted()).toEqual(rows.map((row) => `${row.generation} ${row.kid}`).toSorted());
    expect(await restore()).toMatchObject({ restored: 0, present: 3 });
  });

  it('are restored beside a writer that goes on making them', async () => {
    const before = keyring();
    const subjects = Array.from({ length: 20 }, (_, index) => `home-${index}`);
    for (const subject of subjects) await before.current(place(subject));
    loseCassandra();
    const writer = keyring();
    await Promise.all([restore(), ...subjects.map((subject) => writer.current(place(subject)))]);
    await restore();
    const escrowed = new Set<string>();
    for await (const entry of listEscrow(store, escrowNames(INSTALL).keys(CONTRACT)))
      if (entry.kind === 'key') escrowed.add(entry.kid);
    const held = new Set<string>();
    for (const subject of subjects)
      for (const { kid } of (await table(CONTRACT, 'personal').readAll(subject)).rows) held.add(kid);
    expect(held).toEqual(escrowed);
  });

  it('that cannot be read are named, and do not keep the others', async () => {
    const before = keyring();
    for (const subject of ['home-0001', 'home-0002', 'home-0003']) await before.current(place(subject));
    const names: string[] = [];
    for await (const { name } of store.list(escrowNames(INSTALL).keys())) names.push(name);
    const [damaged = '', moved = '', kept = ''] = names;
    const object = await readObject(store, damaged);
    await store.put(damaged, object.fill(0, object.length - 4));
    await store.put(moved, await readObject(store, kept));
    loseCassandra();
    const { restored, failed } = await restore();
    expect(restored).toBe(1);
    expect(failed.toSorted((a, b) => (a.object < b.object ? -1 : 1))).toEqual([
      { object: damaged, code: 'OBJECT_DAMAGED' },
      { object: moved, code: 'OBJECT_DAMAGED' },
    ]);
    const other = await generateX25519Identity();
    loseCassandra();
    expect((await restore({ identities: [other] })).failed.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['IDENTITY_WRONG']),
    );
  });

  it('stay away where the tables cannot be written', async () => {
    await keyring().current(place('home-0001'));
    loseCassandra();
    table(CONTRACT, 'personal').failWith(new Error('no Cassandra'));
    await expect(restore()).rejects.toThrow('no Cassandra');
    table(CONTRACT, 'personal').failWith(undefined);
    expect(await restore()).toMatchObject({ restored: 1 });
  });
});
