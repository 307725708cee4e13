import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS_KEYSPACE } from '../../../security/principals/names.ts';
import { dekTableName } from '../../../security/keyring/dek-table.ts';
import { CLINIC_CSV, contractVariant } from '../../support/inputs/contract-variant.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardline, wardlineOn } from '../../support/wardline.ts';

const MASK = '•••';
const SEALED = /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/;
/** Nine sealed properties in six rows; of one patient pulse and weight are missing, and their absence is not sensitive. */
const SEALED_FIELDS = 52;

const home = withStack().home.path;
const clinic = contractVariant('clinic', scratch().folder, 'other-domain');
const readAs = (principal: string, subject: string, purpose = 'care'): string[] => [
  ...['read', subject, '--contract', clinic.path, '--purpose', purpose, '--as', principal],
];
let reader: Client;

beforeAll(async () => {
  reader = plainCassandra(await outsideCredentials(home, 'reader'));
});

afterAll(() => reader.shutdown());

describe('a contract and a file of another domain', () => {
  it('run without a change of code', async () => {
    const { json } = await wardlineOn(home, [
      ...['run', '--contract', clinic.path, '--source', 'csv', '--path', CLINIC_CSV],
    ]);
    expect(json).toMatchObject({
      records_read: 6,
      records_stored: 6,
      duplicates: 0,
      dead_letters: 0,
      sealed_fields: SEALED_FIELDS,
    });
  });

  it('leave nothing sensitive in clear in the table, and the rest as it is', async () => {
    const { rows } = await reader.execute(`SELECT * FROM ${clinic.table}`);
    expect(rows).toHaveLength(6);
    const sealed = ['systolic', 'birth_date', 'diagnosis_sealed', 'consent', 'pulse_pressure', 'alarm'];
    for (const row of rows) for (const column of sealed) expect(row[column]).toMatch(SEALED);
    const device = rows.filter((row) => row['patient_id'] === 'p-0001').map((row) => String(row['device']));
    expect(device).toEqual(['9007199254740993', '9007199254740993']);
    expect(rows.find((row) => row['patient_id'] === 'p-0002')).toMatchObject({
      generation: 1980,
      ward_code: 'S-7',
      cohort: 'S-7/1980',
    });
  });
});

describe('a reader of `personal`', () => {
  it('opens these with `read`, derived ones too, and sees the restricted ones masked', async () => {
    const { items } = await wardlineOn(home, readAs('reader', 'p-0001'));
    const [morning] = items.filter((item) => String(item['taken_at']).includes('08:00'));
    expect(items).toHaveLength(2);
    expect(morning).toMatchObject({
      heart_rate: 71,
      systolic: 121,
      weight_kg: '70.5',
      birth_date: '1961-07-04',
      pulse_pressure: 42,
      device: '9007199254740993',
      diagnosis_sealed: MASK,
      consent: MASK,
      alarm: MASK,
    });
  });

  it('is refused for a purpose that the contract does not name', async () => {
    const { error } = await wardlineOn(home, readAs('reader', 'p-0001', 'curiosity'), 3);
    expect(error?.code).toBe('REFUSED_BY_POLICY');
  });

  it('finds the keys of `personal` with a plain client, and is refused those of `restricted`', async () => {
    const keys = (classification: 'personal' | 'restricted'): Promise<unknown> =>
      reader.execute(`SELECT wrapped FROM ${KEYS_KEYSPACE}.${dekTableName(clinic.id, classification)}`);
    expect(await keys('personal')).toMatchObject({ rowLength: 4 });
    await expect(keys('restricted')).rejects.toThrow(/no SELECT permission/);
    await expect(
      reader.execute(
        `UPDATE ${clinic.table} SET ward = 'x' WHERE patient_id = 'p' AND day = '2024-03-01' AND taken_at = 0 AND device = 1`,
      ),
    ).rejects.toThrow(/no MODIFY permission/);
  });
});

describe('others', () => {
  it('see every sealed field masked who hold no keys', async () => {
    const { items } = await wardlineOn(home, readAs('operator', 'p-0004'));
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ heart_rate: MASK, diagnosis_sealed: MASK, pulse_pressure: MASK, ward: 'north' });
  });

  it('see nothing who may not read the table', async () => {
    const { code, stdout, error } = await wardline([...readAs('auditor', 'p-0004'), '--home', home, '--json']);
    expect([code, stdout, error?.code]).toEqual([3, '', 'CASSANDRA_REFUSED']);
  });
});
