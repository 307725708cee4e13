import { createHash } from 'node:crypto';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractVariant, propertyOf } from '../../support/inputs/contract-variant.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { csvOf, readings, SMART_HOME_COLUMNS, type Reading } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn, type WardlineOutcome } from '../../support/wardline.ts';

const HUGE_BYTES = 10 * 1024 * 1024;
const SUBJECT = 'bad-input-home';
const BYTE_ORDER_MARK = '\ufeff';
const QUOTED = 'Rain,\r\nthen "sun"';

const home = withStack().home.path;
const files = scratch();
const first = contractVariant('smart-home', files.folder, 'bad-input');
/** As the first, but power may be negative. */
const second = contractVariant('smart-home', files.folder, 'bad-input', (document) => {
  document.version = '1.1.0';
  propertyOf(document, 'use_kw')['logicalTypeOptions'] = { minimum: -10 };
});

/** What a row's texts are, and the code of its dead letter; without one it arrives. */
const CASES: readonly (readonly [string, Partial<Reading>, string?])[] = [
  ['a number that is none', { 'use [kW]': 'NaN' }, 'VALUE_NOT_OF_TYPE'],
  ['infinity', { 'use [kW]': 'Infinity' }, 'VALUE_NOT_OF_TYPE'],
  ['a decimal comma', { 'use [kW]': '1,5' }, 'VALUE_NOT_OF_TYPE'],
  ['an exponent', { 'use [kW]': '1.5E+01' }],
  ['a time beyond 2^53', { time: '9007199254740993' }, 'VALUE_NOT_OF_TYPE'],
  ['a negative power', { 'use [kW]': '-1' }, 'VALUE_OUT_OF_RANGE'],
  ['no power', { 'use [kW]': '' }, 'VALUE_NOT_OF_TYPE'],
  ['a sealed value of another type', { 'Home office [kW]': 'much' }, 'VALUE_NOT_OF_TYPE'],
  ['a cell of 10 MB', { summary: 'x'.repeat(HUGE_BYTES) }, 'VALUE_OUT_OF_RANGE'],
  ['a cell with a line break, a comma and quotes', { summary: QUOTED }],
  ['an ordinary reading', {}],
];
/** Rows that are no records at all, at the file's end. */
const INVALID_UTF8 = Buffer.from([0x31, 0x2c, 0xff, 0xfe, 0x2c, 0x32, 0x0d, 0x0a]);
const TOO_FEW = Buffer.from('1,2,3\r\n');
const STRAY_QUOTE = Buffer.from('1,"a"b,3\r\n');
const UNCLOSED = Buffer.from('1,2,"never closed\r\n1,2,3');
const BROKEN = [
  ['ENCODING_INVALID', INVALID_UTF8],
  ['ROW_MALFORMED', TOO_FEW],
  ['ROW_MALFORMED', STRAY_QUOTE],
  ['ROW_MALFORMED', UNCLOSED],
] as const;

const rows = readings(CASES.length, { change: (index) => CASES[index]?.[1] ?? {} });
const withExtra = rows.map((row) => ({ ...row, 'an extra column': 'left out' }));
const text = BYTE_ORDER_MARK + csvOf(withExtra, [...SMART_HOME_COLUMNS, 'an extra column'], '\r\n');
const path = files.file('bad.csv', Buffer.concat([Buffer.from(text), ...BROKEN.map(([, bytes]) => bytes)]));
const deadAt = new Map<number, string>([
  ...CASES.flatMap(([, , code], index) => (code === undefined ? [] : [[index + 1, code] as const])),
  ...BROKEN.map(([code], index) => [CASES.length + index + 1, code] as const),
]);

const run = (contract: string, file: string, more: readonly string[] = [], expected = 0): Promise<WardlineOutcome> =>
  wardlineOn(
    home,
    ['run', '--contract', contract, '--source', 'csv', '--path', file, '--set', `home_id=${SUBJECT}`, ...more],
    expected,
  );
const deadLetters = (...args: string[]): string[] => ['dead-letters', ...args, '--contract', first.path];

let reader: Client;
let outcome: WardlineOutcome;
let letters: WardlineOutcome['items'];

const letterAt = (position: number): Readonly<Record<string, unknown>> =>
  letters.find((letter) => String(letter['position']).endsWith(`:${position}`)) ?? {};
const show = async (position: number): Promise<Readonly<Record<string, unknown>>> =>
  (await wardlineOn(home, deadLetters('show', String(letterAt(position)['id'])))).json['content'] as Record<
    string,
    unknown
  >;

async function storedAt(row: Reading | undefined): Promise<Readonly<Record<string, unknown>> | undefined> {
  const ts = new Date(Number(row?.time) * 1000);
  const { rows: found } = await reader.execute(
    `SELECT use_kw, summary, WRITETIME(use_kw) AS written FROM ${first.table} WHERE home_id = ? AND day = ? AND ts = ?`,
    [SUBJECT, ts.toISOString().slice(0, 10), ts],
    { prepare: true },
  );
  return found[0];
}

beforeAll(async () => {
  reader = plainCassandra(await outsideCredentials(home, 'reader'));
  outcome = await run(first.path, path);
  letters = (await wardlineOn(home, deadLetters('list'))).items;
});

afterAll(() => reader.shutdown());

describe('a file with bad rows among good ones', () => {
  it('counts both', () => {
    expect(outcome.json).toMatchObject({
      records_read: CASES.length + BROKEN.length,
      records_stored: CASES.length - (deadAt.size - BROKEN.length),
      duplicates: 0,
      dead_letters: deadAt.size,
    });
    expect(outcome.stderr).toContain('an extra column');
  });

  it.each(CASES.map(([name, , code], index) => ({ name, code: code ?? 'stored', index })))(
    '$name: $code',
    async ({ code, index }) => {
      expect(letterAt(index + 1)['code'] ?? 'stored').toBe(code);
      if (code === 'stored') expect((await storedAt(rows[index]))?.['use_kw']).toBe(Number(rows[index]?.['use [kW]']));
    },
  );

  it('keeps what is between quotes as it is', async () => {
    const row = await storedAt(rows.find(({ summary }) => summary === QUOTED));
    expect(row?.['summary']).toBe(QUOTED);
  });

  it('names each dead row once, with its code and place, and repeats no value', () => {
    const listed = letters.map(({ position, code }) => [Number(String(position).split(':').at(-1)), code] as const);
    expect(new Map(listed.toSorted(([a], [b]) => a - b))).toEqual(new Map([...deadAt].sort(([a], [b]) => a - b)));
    expect(letters).toHaveLength(deadAt.size);
    expect(JSON.stringify(letters)).not.toMatch(/1,5|much|xxxx|never closed/);
    expect(letterAt(8)).toMatchObject({ property: 'home_office_kw', subject: SUBJECT, stage: 'check' });
  });
});

describe('a dead letter', () => {
  it('opens to the whole record', async () => {
    const content = await show(8);
    const fields = content['fields'] as string[];
    const values = content['values'] as string[];
    expect(content['kind']).toBe('record');
    expect(values[fields.indexOf('Home office [kW]')]).toBe('much');
    expect(values[fields.indexOf('home_id')]).toBe(SUBJECT);
    expect(values[fields.indexOf('time')]).toBe(rows[7]?.time);
  });

  it('opens to the bytes of what was never a record', async () => {
    const content = await show(CASES.length + 1);
    const bytes = INVALID_UTF8.subarray(0, -2);
    expect(content).toEqual({
      kind: 'input',
      bytes: bytes.toString('base64'),
      totalBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  it('holds head, length and hash of what is too large to keep', async () => {
    const content = await show(9);
    expect(content['kind']).toBe('input');
    expect(content['totalBytes']).toBeGreaterThan(HUGE_BYTES);
    expect(content['sha256']).toMatch(/^[0-9a-f]{64}$/);
    const head = Buffer.from(String(content['bytes']), 'base64').toString();
    expect(head).toContain(String(rows[8]?.time));
    expect(head).toContain('xxxxxxxxxxxxxxxx');
    expect(head.length).toBeLessThan(1024 * 1024);
  });

  it('is not found under another id', async () => {
    const { error } = await wardlineOn(home, deadLetters('show', '0-999999'), 1);
    expect(error?.code).toBe('NOT_FOUND');
  });

  it('passes once the contract allows it, as old as it was, and never over what came later', async () => {
    // The same key as the dead negative reading, later and sound; and a newer contract's first row of its own.
    const negative = rows[5];
    const later = files.file('later.csv', csvOf([{ ...negative, 'use [kW]': '7' }], SMART_HOME_COLUMNS));
    await run(first.path, later);
    const other = readings(40)
      .slice(39)
      .map((row) => ({ ...row, 'use [kW]': '-2' }));
    const { json: dead } = await run(first.path, files.file('other.csv', csvOf(other, SMART_HOME_COLUMNS)));
    expect(dead).toMatchObject({ records_read: 1, dead_letters: 1, records_stored: 0 });
    const { items } = await wardlineOn(home, deadLetters('list', '--code', 'VALUE_OUT_OF_RANGE'));
    const unique = items.find((letter) => String(letter['position']).endsWith('other.csv:1'));
    const replayed = ['dead-letters', 'replay', String(letterAt(6)['id']), String(unique?.['id'])];
    const { json } = await wardlineOn(home, [...replayed, '--contract', second.path]);
    expect(json).toEqual({ replayed: 2, refused: 0 });
    const sound = files.file('sound.csv', csvOf(readings(60).slice(59), SMART_HOME_COLUMNS));
    await run(second.path, sound);
    const row = await storedAt(other[0]);
    expect(row?.['use_kw']).toBe(-2);
    expect(String(row?.['written'])).toBe(unique?.['writeTimestamp']);
    expect((await storedAt(negative))?.['use_kw']).toBe(7);
  });

  it('stays one where it still does not pass', async () => {
    const id = String(letterAt(CASES.length + 2)['id']);
    const { json, stderr } = await wardlineOn(home, deadLetters('replay', id), 1);
    expect(json).toEqual({ replayed: 0, refused: 1 });
    expect(stderr).toContain('ROW_MALFORMED');
  });
});

describe('a run', () => {
  it('fails at more dead letters than it may have', async () => {
    const { error } = await run(first.path, path, ['--max-dead-letters', '2'], 1);
    expect(error?.code).toBe('TOO_MANY_DEAD_LETTERS');
  });

  it('refuses an empty file', async () => {
    const { error } = await run(first.path, files.file('empty.csv', ''), [], 2);
    expect(error?.code).toBe('SOURCE_EMPTY');
  });

  it('has nothing to do with a header alone', async () => {
    const { json } = await run(first.path, files.file('header.csv', csvOf([], SMART_HOME_COLUMNS)));
    expect(json).toMatchObject({ records_read: 0, records_stored: 0, duplicates: 0, dead_letters: 0 });
  });
});
