import { describe, expect, test } from 'vitest';
import { itemsOf, memorySource, outline } from '../../../test/support/source-files.ts';
import type { Source } from '../source.ts';
import { limit } from './limit.ts';
import { loop } from './loop.ts';
import { atRate, atSpeed } from './pace.ts';
import type { RecordTime } from './record-time.ts';
import { setFields } from './set-fields.ts';
import { timeStep } from './time-step.ts';

const FIELDS = ['time', 'x'];
const seconds: RecordTime = {
  sourceField: 0,
  read: (value) => (typeof value === 'number' ? value * 1000 : undefined),
  write: (milliseconds) => milliseconds / 1000,
};
const rows = (count: number): (readonly [number, string])[] =>
  Array.from({ length: count }, (_unused, index) => [100 + index, `x${index}`] as const);
const positions = (items: readonly { readonly position: number }[]): number[] => items.map((item) => item.position);

describe('limit', () => {
  test.each([
    [5, 0, [1, 2, 3, 4, 5]],
    [3, 0, [1, 2, 3]],
    [5, 4, [5]],
    [5, 5, []],
    [50, 8, [9, 10]],
  ])('%i of 10, from %i', async (most, from, expected) => {
    expect(positions(await itemsOf(limit(memorySource(rows(10)), most), FIELDS, from))).toEqual(expected);
  });
});

describe('setFields', () => {
  test('gives the value in its place, does not ask the input for the field, and leaves malformed items alone', async () => {
    const asked: (readonly string[])[] = [];
    const inner: Source = {
      ...memorySource([]),
      async *batches(fields) {
        await Promise.resolve();
        asked.push(fields);
        yield [
          { values: [1, 2], position: 1 },
          {
            malformed: true,
            position: 2,
            code: 'ROW_MALFORMED',
            detail: '',
            bytes: new Uint8Array(),
            totalBytes: 0,
            sha256: '',
          },
        ];
      },
    };
    const items = await itemsOf(setFields(inner, { home: 'h1' }), ['a', 'home', 'b']);
    expect(asked).toEqual([['a', 'b']]);
    expect(outline(items)).toEqual([
      [1, [1, 'h1', 2]],
      [2, 'ROW_MALFORMED'],
    ]);
  });

  test('is part of what the source is', () => {
    expect(setFields(memorySource([]), { home: 'h1' }).identity).not.toEqual(
      setFields(memorySource([]), { home: 'h2' }).identity,
    );
  });
});

describe('timeStep', () => {
  const stepped = timeStep(memorySource(rows(8)), seconds, 60_000);

  test('spaces times evenly from the first', async () => {
    const items = await itemsOf(stepped, FIELDS);
    expect(outline(items).slice(0, 3)).toEqual([
      [1, [100, 'x0']],
      [2, [160, 'x1']],
      [3, [220, 'x2']],
    ]);
  });

  test('gives the same times wherever reading goes on', async () => {
    const all = outline(await itemsOf(stepped, FIELDS));
    for (let from = 0; from <= 8; from += 1)
      expect(outline(await itemsOf(stepped, FIELDS, from))).toEqual(all.slice(from));
  });

  test('a record before the first readable time stays as it is', async () => {
    const source = timeStep(
      memorySource([
        ['bad', 1],
        [500, 2],
        ['bad', 3],
      ]),
      seconds,
      1000,
    );
    expect(outline(await itemsOf(source, FIELDS))).toEqual([
      [1, ['bad', 1]],
      [2, [500, 2]],
      [3, [501, 3]],
    ]);
  });
});

describe('loop', () => {
  test.each([0, 3, 4, 9])('positions go on from %i, values repeat', async (from) => {
    const items = await itemsOf(limit(loop(memorySource(rows(4))), 11), FIELDS, from);
    expect(positions(items)).toEqual(Array.from({ length: 11 - from }, (_unused, index) => from + index + 1));
    expect(outline(items)).toEqual(positions(items).map((position) => [position, rows(4)[(position - 1) % 4]]));
  });

  test('an input without items ends', async () => {
    expect(await itemsOf(loop(memorySource([])), FIELDS)).toEqual([]);
  });

  test('with a time step, no time comes twice', async () => {
    const source = limit(timeStep(loop(memorySource(rows(4))), seconds, 1000), 12);
    const times = (await itemsOf(source, FIELDS)).map((item) => ('values' in item ? item.values[0] : undefined));
    expect(times).toEqual(Array.from({ length: 12 }, (_unused, index) => 100 + index));
  });
});

/** A clock that stands still until somebody sleeps, a little longer than asked for. */
function fakeTime(oversleep = 0) {
  let now = 1_000_000;
  return {
    clock: { now: () => now },
    pass: (milliseconds: number) => (now += milliseconds),
    sleep(milliseconds: number) {
      now += milliseconds + oversleep;
      return Promise.resolve();
    },
  };
}

async function arrivals(source: Source, time: ReturnType<typeof fakeTime>, work = 0): Promise<number[]> {
  const start = time.clock.now();
  const seen: number[] = [];
  for await (const batch of source.batches(FIELDS, { from: 0 })) {
    seen.push(...batch.map(() => time.clock.now() - start));
    time.pass(work);
  }
  return seen;
}

describe('pace', () => {
  test('one record each 5 seconds, and late timers do not add up', async () => {
    const time = fakeTime(3);
    const seen = await arrivals(atRate(memorySource(rows(4)), { records: 1, milliseconds: 5000 }, time), time);
    expect(seen).toEqual([0, 5003, 10_003, 15_003]);
  });

  test('1000 a second pass in small groups, none more than a tick early, all on time', async () => {
    const time = fakeTime();
    const seen = await arrivals(
      atRate(memorySource(rows(3000), 500), { records: 1000, milliseconds: 1000 }, time),
      time,
    );
    seen.forEach((at, index) => expect(index - at).toBeGreaterThanOrEqual(0));
    seen.forEach((at, index) => expect(index - at).toBeLessThan(20));
  });

  test('after a long standstill it goes on at its rate, with a burst of no more than a second', async () => {
    const time = fakeTime();
    const stalled: Source = {
      ...memorySource(rows(100), 10),
      async *batches(fields, options) {
        for await (const batch of memorySource(rows(100), 10).batches(fields, options)) {
          if (batch[0]?.position === 51) time.pass(60_000);
          yield batch;
        }
      },
    };
    const seen = await arrivals(atRate(stalled, { records: 10, milliseconds: 1000 }, time), time);
    expect(seen[49]).toBe(4900);
    expect(seen.filter((at) => at === 64_900).length).toBeLessThanOrEqual(11);
    expect(seen.at(-1)).toBeGreaterThanOrEqual(64_900 + 3800);
  });

  test('60 times as fast as the records; one out of order passes with the one before', async () => {
    const time = fakeTime();
    const source = memorySource([[0], [60], [30], ['no time'], [120], [180]]);
    expect(await arrivals(atSpeed(source, 60, seconds, time), time)).toEqual([0, 1000, 1000, 1000, 2000, 3000]);
  });

  test('stops while it waits', async () => {
    const stop = new AbortController();
    const time = fakeTime();
    const sleep = (milliseconds: number): Promise<void> => {
      stop.abort();
      return time.sleep(milliseconds);
    };
    const source = atRate(memorySource(rows(5)), { records: 1, milliseconds: 1000 }, { clock: time.clock, sleep });
    let seen = 0;
    for await (const batch of source.batches(FIELDS, { from: 0, signal: stop.signal })) seen += batch.length;
    expect(seen).toBe(1);
  });
});
