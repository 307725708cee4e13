import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { JsonValue, Raw } from '../../../core/record.ts';
import type { CompiledContract } from '../compiled.ts';
import { CQL_TYPES } from '../cql/cql-types.ts';
import { SHIPPED_CONTRACTS } from '../find.ts';
import { loadContract, parseContract } from '../load.ts';

const clinic = loadContract(join(import.meta.dirname, '../../../test/support/contracts/clinic.odcs.yaml'));
const home = loadContract(join(SHIPPED_CONTRACTS, 'smart-home.odcs.yaml'));

const PATIENT = {
  Patient: 'p-0003',
  'Taken At': '2024-03-02T00:30:00+01:00',
  Device: '9007199254740993',
  'Heart rate': '131',
  Systolic: '142',
  Diastolic: '95',
  Weight: '88.20',
  Born: '29.02.2000',
  Diagnosis: 'asthma',
  Consent: 'yes',
  Ward: 'icu',
  Room: ' 3 ',
};
const READING = {
  ...Object.fromEntries(home.sourceFields.map((field) => [field, '0'])),
  home_id: 'home-0001',
  time: '1451624400',
  'use [kW]': '0.932833333',
  'gen [kW]': '0.003483333',
  'Home office [kW]': '0.25',
  'Kitchen 12 [kW]': '3.33E-05',
  pressure: '1016.91',
  icon: 'clear-night',
  summary: 'Clear',
};

function raw(contract: CompiledContract, fields: Readonly<Record<string, unknown>>): Raw {
  return { values: contract.sourceFields.map((field) => fields[field]), position: 1 };
}

function check(contract: CompiledContract, fields: Readonly<Record<string, unknown>>) {
  const outcome = contract.check(raw(contract, fields));
  if (!outcome.ok) throw new Error(`${outcome.rejection.property ?? ''}: ${outcome.rejection.detail}`);
  return outcome;
}

/** The message as a worker parses it, each sealed value replaced by a stand-in for its sealed field. */
function message(contract: CompiledContract, values: readonly JsonValue[]): Record<string, unknown> {
  const fields = contract.messageFields.map(({ name, sealedAs, absenceSensitive }, index) => {
    const value = values[index] ?? null;
    return [name, sealedAs === undefined || (value === null && !absenceSensitive) ? value : `sealed ${name}`];
  });
  return JSON.parse(JSON.stringify(Object.fromEntries(fields))) as Record<string, unknown>;
}

function stored(contract: CompiledContract, row: ReturnType<CompiledContract['toRow']>): Record<string, unknown> {
  if (!row.ok) throw new Error(`${row.rejection.property ?? ''}: ${row.rejection.detail}`);
  return Object.fromEntries(
    contract.table.columns.map(({ name, storedType }, index) => {
      const value = row.values[index] ?? null;
      const type = CQL_TYPES[storedType];
      if (!Buffer.isBuffer(value)) return [name, value];
      return [name, type.toJson(type.decode(value))];
    }),
  );
}

const named = (contract: CompiledContract, values: readonly JsonValue[]): Record<string, JsonValue> =>
  Object.fromEntries(contract.messageFields.map(({ name }, index) => [name, values[index] ?? null]));

describe('a record that fits', () => {
  it('becomes a message of source fields, typed, with what is derived at the source', () => {
    const outcome = check(clinic, PATIENT);
    expect(named(clinic, outcome.values)).toEqual({
      Patient: 'p-0003',
      'Taken At': '2024-03-01T23:30:00.000Z',
      Device: '9007199254740993',
      'Heart rate': 131,
      Systolic: 142,
      Diastolic: 95,
      Weight: '88.2',
      Born: '2000-02-29',
      Diagnosis: 'asthma',
      Consent: true,
      Ward: 'icu',
      pulse_pressure: 47,
      alarm: true,
      generation: 2000,
      Room: ' 3 ',
    });
    expect(outcome).toMatchObject({
      key: ['p-0003', '2024-03-01', '2024-03-01T23:30:00.000Z', '9007199254740993'],
      subject: 'p-0003',
    });
  });

  it('becomes a row: renamed, derived by the worker, sealed fields as they came', () => {
    const outcome = check(clinic, PATIENT);
    const row = clinic.toRow(message(clinic, outcome.values));
    expect(stored(clinic, row)).toEqual({
      patient_id: 'p-0003',
      day: '2024-03-01',
      taken_at: '2024-03-01T23:30:00.000Z',
      device: '9007199254740993',
      heart_rate: 'sealed Heart rate',
      systolic: 'sealed Systolic',
      diastolic: 'sealed Diastolic',
      weight_kg: 'sealed Weight',
      birth_date: 'sealed Born',
      diagnosis_sealed: 'sealed Diagnosis',
      consent: 'sealed Consent',
      ward: 'icu',
      pulse_pressure: 'sealed pulse_pressure',
      alarm: 'sealed alarm',
      generation: 2000,
      ward_code: 'I-3',
      cohort: 'I-3/2000',
    });
    expect(row.ok && row.key).toEqual(outcome.key);
  });

  it('of the smart home keeps its epoch a number and derives in the worker', () => {
    const outcome = check(home, { ...READING, cloudCover: 'cloudCover' });
    const values = named(home, outcome.values);
    expect(values).toMatchObject({ time: 1451624400, cloudCover: null, occupied_kw: 0.2500333 });
    expect(stored(home, home.toRow(message(home, outcome.values)))).toMatchObject({
      ts: '2016-01-01T05:00:00.000Z',
      day: '2016-01-01',
      use_kw: 0.932833333,
      net_kw: 0.932833333 - 0.003483333,
      period: 'night',
      cloud_cover: null,
    });
  });

  it('may lack what is not required, as null or absent', () => {
    const { 'Heart rate': _, ...rest } = PATIENT;
    for (const fields of [rest, { ...rest, 'Heart rate': null }, { ...rest, 'Heart rate': 'n/a' }]) {
      expect(named(clinic, check(clinic, fields).values)).toMatchObject({ 'Heart rate': null, alarm: null });
    }
  });

  it('is counted where it breaks a rule of severity warning', () => {
    expect(check(home, READING).warnings).toEqual([]);
    expect(check(home, { ...READING, icon: 'hail' }).warnings).toEqual(['icon']);
  });
});

describe('a record that does not fit', () => {
  it.each<[string, Record<string, unknown>, string, string]>([
    ['a value is missing', { Born: undefined }, 'VALUE_MISSING', 'birth_date'],
    ['a key value is missing', { 'Taken At': null }, 'VALUE_MISSING', 'taken_at'],
    ['a value is of another type', { Systolic: 'high' }, 'VALUE_NOT_OF_TYPE', 'systolic'],
    ['a value is empty', { Systolic: '' }, 'VALUE_NOT_OF_TYPE', 'systolic'],
    ['a value is too small', { 'Heart rate': '19' }, 'VALUE_OUT_OF_RANGE', 'heart_rate'],
    ['a value is too large', { 'Heart rate': '301' }, 'VALUE_OUT_OF_RANGE', 'heart_rate'],
    ['a value is at an exclusive limit', { Weight: '0.00' }, 'VALUE_OUT_OF_RANGE', 'weight_kg'],
    ['a value is no multiple', { Weight: '70.01' }, 'VALUE_OUT_OF_RANGE', 'weight_kg'],
    ['a value does not match', { Patient: 'p-00031' }, 'VALUE_OUT_OF_RANGE', 'patient_id'],
    ['a value has another format', { Born: '2000-02-29' }, 'VALUE_NOT_OF_TYPE', 'birth_date'],
    ['a value is not allowed', { Ward: 'west' }, 'VALUE_NOT_ALLOWED', 'ward'],
    ['an expression fails', { Systolic: '-2147483648' }, 'EXPRESSION_FAILED', 'pulse_pressure'],
  ])('%s', (_name, members, code, property) => {
    const fields = { ...PATIENT, ...members };
    const outcome = clinic.check(raw(clinic, fields));
    expect(outcome).toMatchObject({ ok: false, rejection: { code, property } });
    const detail = outcome.ok ? '' : outcome.rejection.detail;
    for (const value of Object.values(members)) if (value) expect(detail).not.toContain(value as string);
  });

  it('still names its data subject where that can be read', () => {
    const subjectOf = (members: object): string | undefined => {
      const outcome = clinic.check(raw(clinic, { ...PATIENT, ...members }));
      return outcome.ok ? 'passed' : outcome.subject;
    };
    expect(subjectOf({ Systolic: 'high' })).toBe('p-0003');
    expect(subjectOf({ Patient: 'nobody', Systolic: 'high' })).toBeUndefined();
    expect(subjectOf({ Patient: null })).toBeUndefined();
  });
});

describe('a message that does not fit', () => {
  const good = message(clinic, check(clinic, PATIENT).values);
  it.each<[string, Record<string, unknown>, string, string]>([
    ['a field is absent', { Ward: undefined }, 'VALUE_MISSING', 'ward'],
    ['a key field is null', { Device: null }, 'VALUE_MISSING', 'device'],
    ['a field is of another type', { generation: 'old' }, 'VALUE_NOT_OF_TYPE', 'generation'],
    ['a sealed field is no text', { Systolic: 142 }, 'SEALED_FIELD_MALFORMED', 'systolic'],
    ['a required sealed field is null', { Born: null }, 'VALUE_MISSING', 'birth_date'],
    ['an absence is not sealed', { Diagnosis: null }, 'SEALED_FIELD_MALFORMED', 'diagnosis'],
    ['a key text is empty', { Patient: '' }, 'VALUE_NOT_OF_TYPE', 'patient_id'],
  ])('%s', (_name, members, code, property) => {
    expect(clinic.toRow({ ...good, ...members })).toMatchObject({ ok: false, rejection: { code, property } });
  });

  it('is refused field by field whatever JSON it holds, and never throws', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(good)), fc.jsonValue(), (field, value) => {
        const row = clinic.toRow({ ...good, [field]: value });
        if (row.ok) expect(row.values).toHaveLength(clinic.table.columns.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('both halves', () => {
  it('find the same key, and store the values that were read', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const contract = parseContract(
      stringify({
        ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'any', version: '1', status: 'active' },
        servers: [{ server: 'cassandra', type: 'custom', schema: 'any_data' }],
        schema: [
          {
            name: 'any',
            properties: [
              { name: 'k', logicalType: 'string', required: true, partitioned: true, partitionKeyPosition: 1 },
              {
                name: 'd',
                logicalType: 'date',
                partitioned: true,
                partitionKeyPosition: 2,
                transformLogic: 'CAST(t AS DATE)',
              },
              {
                name: 't',
                logicalType: 'timestamp',
                required: true,
                primaryKey: true,
                primaryKeyPosition: 3,
                customProperties: [{ property: 'epochUnit', value: 'us' }],
              },
              { name: 'n', logicalType: 'number' },
              { name: 'b', logicalType: 'integer' },
              { name: 'e', logicalType: 'number', physicalType: 'decimal' },
              { name: 'twice', logicalType: 'number', transformLogic: 'n * 2' },
            ],
          },
        ],
      }),
      'any.yaml',
    );
    const record = fc.record({
      k: text,
      t: fc.integer({ min: -1e15, max: 4e15 }),
      n: fc.double({ noNaN: true, min: -1e100, max: 1e100 }),
      b: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      e: fc.bigInt(),
    });
    fc.assert(
      fc.property(record, fc.boolean(), ({ k, t, n, b, e }, asJson) => {
        const fields = asJson
          ? { k, t, n, b: String(b), e: String(e) }
          : { k, t: String(t), n: String(n), b: String(b), e: String(e) };
        const outcome = check(contract, fields);
        const row = contract.toRow(message(contract, outcome.values));
        expect(row.ok && row.key).toEqual(outcome.key);
        expect(stored(contract, row)).toMatchObject({ k, n: n + 0, b: String(b), e: String(e), twice: (n + 0) * 2 });
      }),
    );
  });
});

describe('the time of a record', () => {
  it('is read and written as the source spells it', () => {
    expect(home.sourceFields[home.time?.sourceField ?? -1]).toBe('time');
    expect(home.time?.read('1451624400')).toBe(1451624400000);
    expect(home.time?.read('soon')).toBeUndefined();
    expect(home.time?.write(1451624460000)).toBe(1451624460);
    expect(clinic.time?.write(1451624460000)).toBe('2016-01-01T05:01:00.000Z');
    expect(clinic.time?.read(clinic.time.write(1451624460000))).toBe(1451624460000);
  });
});
