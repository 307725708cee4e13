import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RotatingFile, rotatedFiles } from './rotating-file.ts';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'rotating-'));
  folder = join(parent, 'logs');
});
afterEach(() => rmSync(parent, { recursive: true }));

const file = (more = {}) =>
  new RotatingFile({
    folder,
    prefix: 'worker',
    maximumBytes: 10,
    maximumFiles: 3,
    clock: { now: () => 0 },
    processId: 7,
    ...more,
  });
const contents = () => rotatedFiles(folder, 'worker').map((path) => readFileSync(path, 'utf8'));

describe('RotatingFile', () => {
  it('makes no file before the first write, and then for the owner only', () => {
    const log = file();
    expect(rotatedFiles(folder, 'worker')).toEqual([]);
    log.write('a\n');
    const [path = ''] = rotatedFiles(folder, 'worker');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('begins another file before one grows over its limit, and never divides a line', () => {
    const log = file();
    for (const line of ['12345\n', '123\n', '1\n', 'longer than the limit\n', '2\n']) log.write(line);
    log.close();
    expect(contents().sort()).toEqual(['12345\n123\n', '1\n', 'longer than the limit\n', '2\n'].slice(1).sort());
  });

  it('keeps the newest files only, and none of another prefix is touched', () => {
    const other = file({ prefix: 'source' });
    other.write('other\n');
    const log = file();
    for (let n = 0; n < 6; n += 1) {
      log.write(`line ${n}...\n`);
      const newest =
        rotatedFiles(folder, 'worker').find((path) => readFileSync(path, 'utf8').includes(`line ${n}`)) ?? '';
      utimesSync(newest, n + 1, n + 1);
    }
    expect(contents()).toEqual(['line 3...\n', 'line 4...\n', 'line 5...\n']);
    expect(rotatedFiles(folder, 'source').length).toBe(1);
  });
});
