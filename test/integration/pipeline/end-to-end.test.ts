import type { Client, types } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import {
  BROKEN_LAST_ROW,
  readings,
  smartHomeCsv,
  SMART_HOME_COLUMNS,
  WORD_ROWS,
  type Reading,
} from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const TABLE = 'iot_data.weather_condition_and_household_energy_consumption';
const COUNT = 300;
/** Dishwasher to living room, and `occupied_kw`. */
const SEALED_PER_RECORD = 9;
/** Every five minutes: the readings reach over a day's end and all parts of a day. */
const STEP = 300;

const home = withStack().home.path;
const files = scratch();
const rows = readings(COUNT, { step: STEP });
const sliceLike = files.file('slice.csv', smartHomeCsv(rows));
let reader: Client;

beforeAll(async () => {
  reader = plainCassandra(await outsideCredentials(home, 'reader'));
});

afterAll(() => reader.shutdown());

async function run(path: string, homeId: string): Promise<Readonly<Record<string, unknown>>> {
  const set = ['--set', `home_id=${homeId}`];
  return (await wardlineOn(home, ['run', '--contract', 'smart-home', '--source', 'csv', '--path', path, ...set])).json;
}

/** The rows of a home as a plain client finds them, oldest first. */
async function stored(homeId: string): Promise<types.Row[]> {
  const { rows: found } = await reader.execute(`SELECT * FROM ${TABLE} WHERE home_id = ? ALLOW FILTERING`, [homeId], {
    prepare: true,
    fetchSize: 5000,
  });
  return found.sort((a, b) => timeOf(a) - timeOf(b));
}

const timeOf = (row: types.Row): number => (row['ts'] as Date).getTime();

describe('a file like the data set', () => {
  const homeId = 'e2e-slice';
  let summary: Readonly<Record<string, unknown>>;
  let found: types.Row[];

  beforeAll(async () => {
    summary = await run(sliceLike, homeId);
    found = await stored(homeId);
  });

  it('ends in one object that says what came of it', () => {
    expect(summary).toMatchObject({
      records_read: COUNT,
      records_stored: COUNT,
      duplicates: 0,
      dead_letters: 0,
      sealed_fields: COUNT * SEALED_PER_RECORD,
      rate: expect.any(Number) as number,
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(summary['rate']).toBeGreaterThan(0);
  });

  it('stands in Cassandra, every row once', () => {
    expect(found).toHaveLength(COUNT);
    expect(new Set(found.map(timeOf)).size).toBe(COUNT);
  });

  it('keeps the rows with a word for a number, without the number', () => {
    expect(found.filter((row) => row['cloud_cover'] === null)).toHaveLength(WORD_ROWS);
    expect(found.slice(WORD_ROWS).every((row) => row['cloud_cover'] === 0.75)).toBe(true);
  });

  it('keeps numbers exactly, exponent forms too', () => {
    for (const [index, row] of found.entries()) {
      expect(row['use_kw']).toBe(Number(rows[index]?.['use [kW]']));
      expect(row['wine_cellar_kw']).toBe(Number(rows[index]?.['Wine cellar [kW]']));
    }
  });

  it('derives day, period and net power', () => {
    for (const [index, row] of found.entries()) {
      const time = new Date(Number(rows[index]?.time) * 1000);
      expect(timeOf(row)).toBe(time.getTime());
      expect(String(row['day'])).toBe(time.toISOString().slice(0, 10));
      expect(row['period']).toBe(periodAt(time.getUTCHours()));
      expect(row['net_kw']).toBe(Number(rows[index]?.['use [kW]']) - Number(rows[index]?.['gen [kW]']));
    }
    expect(new Set(found.map((row) => String(row['day']))).size).toBe(2);
    expect(new Set(found.map((row) => String(row['period']))).size).toBe(4);
  });

  it('seals what the contract calls sensitive, and opens it again to the source’s values', async () => {
    for (const column of ['dishwasher_kw', 'home_office_kw', 'living_room_kw', 'occupied_kw'])
      expect(found.every((row) => /^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/.test(String(row[column])))).toBe(true);
    const read = ['read', homeId, '--contract', 'smart-home', '--purpose', 'forecasting', '--limit', String(COUNT)];
    const { items } = await wardlineOn(home, [...read, '--as', 'reader']);
    expect(items).toHaveLength(COUNT);
    const opened = new Map(items.map((item) => [Date.parse(String(item['ts'])), item]));
    for (const reading of rows) {
      expect(opened.get(Number(reading.time) * 1000)).toMatchObject({
        dishwasher_kw: Number(reading['Dishwasher [kW]']),
        home_office_kw: Number(reading['Home office [kW]']),
        kitchen12_kw: Number(reading['Kitchen 12 [kW]']),
        occupied_kw: occupied(reading),
      });
    }
  });

  it('comes to the same when it is run again', async () => {
    expect(await run(sliceLike, homeId)).toMatchObject({
      records_read: COUNT,
      records_stored: COUNT,
      duplicates: 0,
      dead_letters: 0,
    });
    const powers = (all: readonly types.Row[]) => all.map((row) => [timeOf(row), row['use_kw'] as number]);
    expect(powers(await stored(homeId))).toEqual(powers(found));
  });
});

describe('a file with a broken last row', () => {
  it('loses that row to the dead letters, and no other', async () => {
    const path = files.file('broken.csv', `${smartHomeCsv(rows)}${BROKEN_LAST_ROW}`);
    expect(await run(path, 'e2e-broken')).toMatchObject({
      records_read: COUNT + 1,
      records_stored: COUNT,
      duplicates: 0,
      dead_letters: 1,
    });
    expect(await stored('e2e-broken')).toHaveLength(COUNT);
  });
});

describe('a file with keys that come again, in no order', () => {
  it('keeps of each key the last, and counts the others', async () => {
    const first = readings(40, { step: STEP });
    const later = first
      .slice(0, 10)
      .map((row, index) => ({ ...row, 'use [kW]': String(100 + index), cloudCover: '0.5' }));
    const last = later.slice(0, 3).map((row, index) => ({ ...row, 'use [kW]': String(200 + index), cloudCover: '' }));
    const path = files.file('again.csv', smartHomeCsv([...first.toReversed(), ...later, ...last.toReversed()]));
    expect(await run(path, 'e2e-again')).toMatchObject({
      records_read: 53,
      records_stored: 40,
      duplicates: 13,
      dead_letters: 0,
    });
    const found = await stored('e2e-again');
    expect(found.map((row) => row['use_kw'] as number)).toEqual(
      first.map((row, index) => (index < 3 ? 200 + index : index < 10 ? 100 + index : Number(row['use [kW]']))),
    );
    // A value that the last one lacks is not the one before it.
    expect(found.slice(0, 4).map((row) => row['cloud_cover'] as number | null)).toEqual([null, null, null, 0.5]);
  });
});

it('needs no file at all: the synthetic source has homes of its own', async () => {
  const source = ['--source', 'synthetic', '--limit', '600', '--homes', '3', '--seed', '7'];
  const { json } = await wardlineOn(home, ['run', '--contract', 'smart-home', ...source]);
  expect(json).toMatchObject({ records_read: 600, records_stored: 600, duplicates: 0, dead_letters: 0 });
  expect(await stored('home-0002')).toHaveLength(200);
});

it('names every column that a file lacks, and reads none of it', async () => {
  const columns = SMART_HOME_COLUMNS.filter((name) => name !== 'use [kW]' && name !== 'humidity');
  const path = files.file('lacking.csv', `${columns.join(',')}\n`);
  const args = ['run', '--contract', 'smart-home', '--source', 'csv', '--path', path];
  const { error } = await wardlineOn(home, args, 2);
  expect(error?.code).toBe('SOURCE_COLUMNS_MISSING');
  for (const name of ['use [kW]', 'humidity', 'home_id']) expect(error?.message).toContain(name);
  expect(error?.message).not.toContain('gen [kW]');
});

function periodAt(hour: number): string {
  return hour < 6 ? 'night' : hour < 12 ? 'morning' : hour < 18 ? 'afternoon' : 'evening';
}

/** In the order of the contract's sum: floating-point addition is not associative. */
function occupied(reading: Reading): number {
  const rooms = [
    'Home office [kW]',
    'Kitchen 12 [kW]',
    'Kitchen 14 [kW]',
    'Kitchen 38 [kW]',
    'Living room [kW]',
  ] as const;
  return rooms.reduce((sum, name) => sum + Number(reading[name]), 0) + Number(reading['Microwave [kW]']);
}
