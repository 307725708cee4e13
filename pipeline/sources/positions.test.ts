import { appendFileSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFile } from '../../test/support/source-files.ts';
import { csvSource } from './files/csv.ts';
import { openPositions } from './positions.ts';
import { setFields } from './wrap/set-fields.ts';

const AT = { position: 700, writeTimestamp: 1_700_000_000_000_001 };

function input(content = `a,b\n${'1,2\n'.repeat(1000)}`) {
  const path = temporaryFile(content, 'data.csv');
  return {
    path,
    folder: join(dirname(path), 'positions'),
    source: csvSource({ path, batchRecords: 10, rowLimitBytes: 1000 }),
  };
}

test('what was saved is there after a restart, under the same contract and source only', async () => {
  const { folder, source } = input();
  const positions = await openPositions(folder, 'c1', source);
  expect(positions.load()).toEqual({ position: 0, writeTimestamp: 0 });
  positions.save(AT);
  expect(positions.load()).toEqual(AT);
  expect((await openPositions(folder, 'c1', source)).load()).toEqual(AT);
  expect((await openPositions(folder, 'c2', source)).load().position).toBe(0);
  expect((await openPositions(folder, 'c1', setFields(source, { b: 'x' }))).load().position).toBe(0);
});

test('a finished source starts anew, above the write timestamps that it gave', async () => {
  const { folder, source } = input();
  const positions = await openPositions(folder, 'c1', source);
  positions.save(AT);
  positions.clear();
  expect((await openPositions(folder, 'c1', source)).load()).toEqual({
    position: 0,
    writeTimestamp: AT.writeTimestamp,
  });
});

test('a file that grew is still the same file', async () => {
  const { folder, path, source } = input();
  (await openPositions(folder, 'c1', source)).save(AT);
  appendFileSync(path, '3,4\n'.repeat(50_000));
  expect((await openPositions(folder, 'c1', source)).load()).toEqual(AT);
});

test.each([
  ['another beginning', `b,a\n${'1,2\n'.repeat(1000)}`],
  ['fewer rows', `a,b\n${'1,2\n'.repeat(900)}`],
])('a file with %s is refused, until its position is cleared', async (_name, content) => {
  const { folder, path, source } = input();
  const positions = await openPositions(folder, 'c1', source);
  positions.save(AT);
  writeFileSync(path, content);
  await expect(openPositions(folder, 'c1', source)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  positions.clear();
  expect((await openPositions(folder, 'c1', source)).load().position).toBe(0);
});

test('a damaged file is refused, not taken for a beginning', async () => {
  const { folder, source } = input();
  (await openPositions(folder, 'c1', source)).save(AT);
  const [name = ''] = readdirSync(folder);
  writeFileSync(join(folder, name), '{"position": 7');
  await expect(openPositions(folder, 'c1', source)).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
});

test('the file is its owner’s alone and does not hold what --set said', async () => {
  const { folder, source } = input();
  (await openPositions(folder, 'c1', setFields(source, { b: 'MARKER-person' }))).save(AT);
  const [name = ''] = readdirSync(folder);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(folder, name), 'utf8') + name).not.toContain('MARKER');
});
