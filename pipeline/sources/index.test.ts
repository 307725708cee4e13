import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { itemsOf, outline, temporaryFile } from '../../test/support/source-files.ts';
import { parseRate, parseSpeed, parseTimeStep } from './flags.ts';
import { configureSource, type SourceFlags } from './index.ts';

const contract = {
  id: 'readings',
  sourceFields: ['home', 'time'],
  defaultSource: undefined,
  time: {
    sourceField: 1,
    read: (value: unknown) => Number(value) * 1000,
    write: (milliseconds: number) => milliseconds / 1000,
  },
} as unknown as CompiledContract;

async function configure(path: string, flags: Partial<SourceFlags>, of: CompiledContract = contract) {
  const lines: string[] = [];
  const configured = await configureSource(
    of,
    { path, set: {}, seed: 1, homes: 1, ...flags },
    {
      positionsFolder: join(dirname(path), 'positions'),
      rowLimitBytes: 1000,
      batchRecords: 10,
      clock: { now: () => 0 },
      report: (line) => lines.push(line),
    },
  );
  return { ...configured, lines };
}

test('the flags together: a looped file with a field set, evenly spaced times and a limit', async () => {
  const path = temporaryFile('time,note\n10,x\n11,y\n', 'data.csv');
  const { source, positions, lines } = await configure(path, {
    set: { home: 'h1' },
    loop: true,
    timeStep: '60s',
    limit: 5,
  });
  expect(outline(await itemsOf(source, contract.sourceFields, positions.load().position))).toEqual([
    [1, ['h1', 10]],
    [2, ['h1', 70]],
    [3, ['h1', 130]],
    [4, ['h1', 190]],
    [5, ['h1', 250]],
  ]);
  expect(lines).toEqual(['1 columns that the contract does not use are left out: note']);
});

test('the format is known by the file’s name, and the contract may name a source of its own', async () => {
  const path = temporaryFile('{"home":"h","time":1}\n', 'data.jsonl');
  expect(outline(await itemsOf((await configure(path, {})).source, contract.sourceFields))).toEqual([[1, ['h', 1]]]);
  const own = { ...contract, defaultSource: { path, format: 'jsonl' as const } };
  const { source } = await configure(path, { path: undefined }, own);
  expect(source.name).toBe(path);
});

test.each<[string, Partial<SourceFlags>, string, string, CompiledContract?]>([
  ['missing columns, before anything starts', {}, 'SOURCE_COLUMNS_MISSING', '“home”'],
  ['a field to set that there is not', { set: { hme: 'x' } }, 'USAGE', 'hme'],
  ['two paces', { rate: '1/s', speed: '2x' }, 'USAGE', 'exclude'],
  ['no source at all', { path: undefined }, 'USAGE', 'names no source'],
  [
    'a speed without a time',
    { set: { home: 'h' }, speed: '2x' },
    'USAGE',
    '--speed needs',
    { ...contract, time: undefined },
  ],
  ['a rate that is none', { set: { home: 'h' }, rate: 'fast' }, 'USAGE', '--rate fast'],
])('refused: %s', async (_name, flags, code, message, of = contract) => {
  const path = temporaryFile('time\n10\n', 'data.csv');
  await expect(configure(path, flags, of)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});

describe('flags', () => {
  test.each([
    ['1000/s', { records: 1000, milliseconds: 1000 }],
    ['1/5s', { records: 1, milliseconds: 5000 }],
    ['2.5/m', { records: 2.5, milliseconds: 60_000 }],
    ['1/250ms', { records: 1, milliseconds: 250 }],
  ])('rate %s', (text, rate) => expect(parseRate(text)).toEqual(rate));

  test('speed and time step', () => {
    expect(parseSpeed('60x')).toBe(60);
    expect(parseSpeed('0.5x')).toBe(0.5);
    expect(parseTimeStep('60s')).toBe(60_000);
  });

  test.each(['', '0/s', '-1/s', '1000', '1/0s', '/s', '1/parsec', '1e9/s'])('no rate: %s', (text) => {
    expect(() => parseRate(text)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });
  test.each(['60', 'x', '0x', '-1x'])('no speed: %s', (text) => {
    expect(() => parseSpeed(text)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });
  test.each(['0s', '60', '5 s'])('no time step: %s', (text) => {
    expect(() => parseTimeStep(text)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });
});
