import { expect, test } from 'vitest';
import { itemsOf, outline } from '../../../test/support/source-files.ts';
import { limit } from '../wrap/limit.ts';
import { SYNTHETIC_FIELDS, syntheticSource } from './source.ts';

const MINUTES_OF_A_YEAR = 525_600;

const read = (seed: number, homes: number, count: number, from = 0) =>
  itemsOf(limit(syntheticSource({ seed, homes, batchRecords: 1000 }), count), SYNTHETIC_FIELDS, from);

test('the same seed gives the same readings, from wherever it is read; another seed gives others', async () => {
  const all = outline(await read(7, 3, 2500));
  expect(outline(await read(7, 3, 2500))).toEqual(all);
  for (const from of [1, 999, 1740, 2499]) expect(outline(await read(7, 3, 2500, from))).toEqual(all.slice(from));
  expect(outline(await read(8, 3, 2500))).not.toEqual(all);
});

test('each home reports each minute once', async () => {
  const items = await read(1, 10, 3000);
  const keys = items.map((item) => ('values' in item ? `${String(item.values[0])} ${String(item.values[1])}` : ''));
  expect(new Set(keys).size).toBe(3000);
  expect(keys.slice(0, 2)).toEqual(['home-0001 1451624400', 'home-0002 1451624400']);
  expect(keys[10]).toBe('home-0001 1451624460');
});

test('a year of one home is close to the known figures of the data set', async () => {
  const figures = new Map<string, { least: number; most: number; sum: number; texts: Set<string> }>();
  const year = limit(syntheticSource({ seed: 1, homes: 1, batchRecords: 1000 }), MINUTES_OF_A_YEAR);
  let words = 0;
  for await (const batch of year.batches(SYNTHETIC_FIELDS, { from: 0 })) {
    for (const item of batch) {
      if (!('values' in item)) throw new Error('a malformed reading');
      item.values.forEach((value, index) => {
        const field = SYNTHETIC_FIELDS[index] ?? '';
        const figure = figures.get(field) ?? { least: Infinity, most: -Infinity, sum: 0, texts: new Set() };
        figures.set(field, figure);
        if (typeof value === 'number') {
          figure.least = Math.min(figure.least, value);
          figure.most = Math.max(figure.most, value);
          figure.sum += value;
        } else if (value === 'cloudCover') words += 1;
        else figure.texts.add(String(value));
      });
    }
  }
  const of = (field: string) => figures.get(field) ?? { least: NaN, most: NaN, sum: NaN, texts: new Set() };
  expect(SYNTHETIC_FIELDS).toHaveLength(33);
  expect(of('use [kW]').sum / MINUTES_OF_A_YEAR).toBeCloseTo(0.859, 1);
  expect(Math.abs(of('use [kW]').sum / MINUTES_OF_A_YEAR - 0.858962)).toBeLessThan(0.03);
  expect(of('use [kW]').most).toBeGreaterThan(12);
  expect(of('use [kW]').most).toBeLessThanOrEqual(14.714567);
  expect(of('temperature').least).toBeGreaterThanOrEqual(-12.64);
  expect(of('temperature').most).toBeLessThanOrEqual(93.72);
  expect(of('temperature').most - of('temperature').least).toBeGreaterThan(80);
  expect(of('icon').texts.size).toBe(9);
  expect(of('summary').texts.size).toBe(18);
  expect(words).toBe(58);
  for (const field of SYNTHETIC_FIELDS.filter((name) => name.endsWith('[kW]')))
    expect(of(field).least, field).toBeGreaterThanOrEqual(0);
});

test('weather holds for 58 minutes', async () => {
  const weather = (await read(3, 1, 58 * 4)).map((item) => ('values' in item ? item.values.slice(20).join() : ''));
  for (let block = 0; block < 4; block += 1) expect(new Set(weather.slice(block * 58, (block + 1) * 58)).size).toBe(1);
  expect(new Set(weather).size).toBe(4);
});

test('a field that it does not make is refused, and so is a number of homes that makes no sense', async () => {
  const source = syntheticSource({ seed: 1, homes: 1, batchRecords: 10 });
  await expect(itemsOf(source, ['home_id', 'patient', 'dose'])).rejects.toMatchObject({
    code: 'SOURCE_COLUMNS_MISSING',
    message: expect.stringContaining('patient, dose') as string,
  });
  expect(() => syntheticSource({ seed: 1, homes: 0, batchRecords: 10 })).toThrow(/at least one home/);
});
