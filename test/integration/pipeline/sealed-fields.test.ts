import type { Client, types } from 'cassandra-driver';
import { compactDecrypt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SensitiveClass } from '../../../core/classification.ts';
import { systemClock } from '../../../core/clock.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { isWiped } from '../../../security/keyring/data-key.ts';
import { openKeyring, type Keyring } from '../../../security/keyring/keyring.ts';
import { openKeyStore } from '../../../security/keyring/key-store/key-store.ts';
import { CLINIC_CSV, contractVariant } from '../../support/inputs/contract-variant.ts';
import { memoryEscrow } from '../../support/backup/memory-escrow.ts';
import { codeOfAsync } from '../../support/failure.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn, type WardlineOutcome } from '../../support/wardline.ts';

const DESTRUCTION_LIMIT = 10_000;
const VERIFICATION_FAILED = 4;

const { home, connection } = withStack();
const clinic = contractVariant('clinic', scratch().folder, 'sealed-fields');
const run = ['run', '--contract', clinic.path, '--source', 'csv', '--path', CLINIC_CSV];
const read = (subject: string, expected?: number): Promise<WardlineOutcome> =>
  wardlineOn(home.path, ['read', subject, '--contract', clinic.path, '--purpose', 'care'], expected);

const clients: Client[] = [];
const keyrings: Keyring[] = [];
/** A plain client that may change what is stored: the worst that whoever holds the table can do. */
let worker: Client;
let source: Keyring;
let reader: Keyring;

async function keyringOf(principal: 'source' | 'reader'): Promise<Keyring> {
  const client = cassandraClient(connection, principal);
  clients.push(client);
  const keyring = openKeyring({
    client,
    keyStore: await openKeyStore(accessOf(connection, principal)),
    clock: systemClock,
    announce: () => Promise.resolve(),
    escrow: memoryEscrow(),
  });
  keyrings.push(keyring);
  return keyring;
}

beforeAll(async () => {
  worker = plainCassandra(await outsideCredentials(home.path, 'worker'));
  clients.push(worker);
  await wardlineOn(home.path, run);
  [source, reader] = await Promise.all([keyringOf('source'), keyringOf('reader')]);
});

afterAll(async () => {
  for (const keyring of keyrings) keyring.close();
  await Promise.all(clients.map((client) => client.shutdown()));
});

async function rowsOf(subject: string): Promise<types.Row[]> {
  const query = `SELECT * FROM ${clinic.table} WHERE patient_id = ? ALLOW FILTERING`;
  const { rows } = await worker.execute(query, [subject], { prepare: true });
  return rows.sort((a, b) => (a['taken_at'] as Date).getTime() - (b['taken_at'] as Date).getTime());
}

const kidOf = (sealed: unknown): string => String(decodeProtectedHeader(String(sealed)).kid);
const place = (subject: string, classification: SensitiveClass) => ({ contract: clinic.id, subject, classification });

/** Puts texts into sealed columns of one row, as a plain client. */
async function plant(row: types.Row, cells: Readonly<Record<string, unknown>>): Promise<void> {
  const columns = Object.keys(cells);
  const key = ['patient_id', 'day', 'taken_at', 'device'];
  await worker.execute(
    `UPDATE ${clinic.table} SET ${columns.map((name) => `${name} = ?`).join(', ')} WHERE ${key.map((name) => `${name} = ?`).join(' AND ')}`,
    [...Object.values(cells), ...key.map((name) => row[name] as unknown)],
    { prepare: true },
  );
}

describe('a sealed field that is read from Cassandra', () => {
  it.each([
    ['heart_rate', 'personal', 131],
    ['weight_kg', 'personal', '88.2'],
    ['birth_date', 'personal', '2000-02-29'],
    ['pulse_pressure', 'personal', 47],
    ['diagnosis_sealed', 'restricted', 'line\nbreak "quoted"'],
    ['consent', 'restricted', true],
    ['alarm', 'restricted', true],
  ] as const)('opens with jose and the data key alone: %s', async (column, classification, expected) => {
    const [row] = await rowsOf('p-0003');
    const sealed = String(row?.[column]);
    const { key } = await source.byKid(place('p-0003', classification), kidOf(sealed));
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, new Uint8Array(key));
    expect(protectedHeader).toMatchObject({ alg: 'dir', enc: 'A256GCM' });
    expect(plaintext.length % 16).toBe(0);
    expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual(expected);
  });
});

describe('a sealed field that someone moved or changed', () => {
  it('does not open where it does not belong', async () => {
    const [morning, evening] = await rowsOf('p-0001');
    const [stranger] = await rowsOf('p-0002');
    if (morning === undefined || evening === undefined) throw new Error('p-0001 has no two rows');
    const weight = String(morning['weight_kg']);
    const changed = `${weight.slice(0, -30)}${weight.at(-30) === 'A' ? 'B' : 'A'}${weight.slice(-29)}`;
    await plant(morning, {
      heart_rate: evening['heart_rate'],
      systolic: morning['diastolic'],
      birth_date: stranger?.['birth_date'],
      weight_kg: changed,
      pulse_pressure: 'no sealed field',
    });
    const { items } = await read('p-0001', VERIFICATION_FAILED);
    const found = items.find((item) => 'faults' in item);
    expect(found?.['faults']).toEqual({
      heart_rate: 'SEALED_FIELD_MISPLACED',
      systolic: 'SEALED_FIELD_MISPLACED',
      birth_date: 'KEY_NOT_FOUND',
      weight_kg: 'SEALED_FIELD_ALTERED',
      pulse_pressure: 'SEALED_FIELD_MALFORMED',
    });
    for (const column of ['heart_rate', 'systolic', 'birth_date', 'weight_kg', 'pulse_pressure'])
      expect(found?.[column]).toBeNull();
    // What nobody touched opens as before.
    expect(found?.['diastolic']).toBe(79);
    expect(items.find((item) => !('faults' in item))).toMatchObject({ heart_rate: 74, weight_kg: '70.45' });
  });
});

describe('the keys of a data subject', () => {
  const list = async (): Promise<WardlineOutcome['items']> =>
    (await wardlineOn(home.path, ['keys', 'list', '--contract', clinic.path])).items;

  it('are listed without a key, and are sound', async () => {
    const listed = await list();
    expect(listed.map(({ subject, class: name }) => `${String(subject)} ${String(name)}`).sort()).toEqual(
      ['p-0001', 'p-0002', 'p-0003', 'p-0004'].flatMap((subject) => [`${subject} personal`, `${subject} restricted`]),
    );
    for (const item of listed) {
      expect(item).toMatchObject({ generation: 1, state: 'active' });
      expect(Object.keys(item).sort()).toEqual(['class', 'created_at', 'generation', 'kid', 'state', 'subject']);
    }
    const { json } = await wardlineOn(home.path, ['keys', 'check', '--contract', clinic.path]);
    const escrow = { missing: [], destroyed: [], strays: [], unmarked: [] };
    expect(json).toEqual({ checked: 8, faults: [], escrow, repaired: false });
  });

  it('are gone from every process within ten seconds once destroyed, and all others stay', async () => {
    const [row] = await rowsOf('p-0003');
    const [other] = await rowsOf('p-0004');
    const erased = place('p-0003', 'personal');
    const kept = place('p-0004', 'personal');
    const held = await reader.byKid(erased, kidOf(row?.['heart_rate']));
    const sealing = await source.current(erased);
    const destroy = ['keys', 'destroy', 'p-0003', '--contract', clinic.path];
    expect((await wardlineOn(home.path, destroy, 2)).error?.code).toBe('USAGE');
    expect(isWiped(held)).toBe(false);
    const { json } = await wardlineOn(home.path, [...destroy, '--yes']);
    const destroyedAt = Date.now();
    expect((json['destroyed'] as string[]).length).toBe(2);
    await expect
      .poll(() => isWiped(held) && isWiped(sealing), { timeout: DESTRUCTION_LIMIT, interval: 100 })
      .toBe(true);
    expect(Date.now() - destroyedAt).toBeLessThan(DESTRUCTION_LIMIT);
    expect(await codeOfAsync(() => reader.byKid(erased, held.kid))).toBe('KEY_DESTROYED');
    expect(await codeOfAsync(() => source.current(erased))).toBe('KEY_DESTROYED');
    expect(isWiped(await reader.byKid(kept, kidOf(other?.['heart_rate'])))).toBe(false);
  });

  it('leave a destroyed subject’s fields closed for ever, and its new records dead', async () => {
    const { items } = await read('p-0003', VERIFICATION_FAILED);
    expect(items).toHaveLength(2);
    for (const { faults, ...values } of items) {
      expect(new Set(Object.values(faults as Record<string, string>))).toEqual(new Set(['KEY_DESTROYED']));
      expect([values['heart_rate'], values['birth_date'], values['ward']]).toEqual([null, null, 'icu']);
    }
    const others = await read('p-0004');
    expect(others.items[0]).toMatchObject({ heart_rate: 60, birth_date: '1999-01-01' });
    expect(new Set((await list()).flatMap(({ subject, state }) => (subject === 'p-0003' ? [state] : [])))).toEqual(
      new Set(['destroyed']),
    );
    const { json } = await wardlineOn(home.path, run);
    expect(json).toMatchObject({ records_read: 6, records_stored: 4, dead_letters: 2 });
    const { items: letters } = await wardlineOn(home.path, ['dead-letters', 'list', '--contract', clinic.path]);
    expect(letters.map(({ code, subject }) => [code, subject])).toEqual([
      ['SUBJECT_ERASED', undefined],
      ['SUBJECT_ERASED', undefined],
    ]);
  });
});
