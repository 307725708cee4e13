import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from './files.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('secret folders', () => {
  it('can be entered by their owner only, all those made on the way included', () => {
    makeSecretFolder(join(folder, 'a', 'b'));
    expect(modeOf(join(folder, 'a'))).toBe(0o700);
    expect(modeOf(join(folder, 'a', 'b'))).toBe(0o700);
  });

  it('may stand already', () => {
    makeSecretFolder(join(folder, 'a'));
    expect(() => makeSecretFolder(join(folder, 'a'))).not.toThrow();
  });
});

describe('atomic writing', () => {
  it('gives back what was written, text or bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (content) => {
        writeFileAtomic(join(folder, 'file'), content);
        expect(new Uint8Array(readFileSync(join(folder, 'file')))).toEqual(content);
      }),
      { numRuns: 25 },
    );
  });

  it('makes files that only their owner can read, unless told otherwise', () => {
    writeFileAtomic(join(folder, 'secret'), 'x');
    writeFileAtomic(join(folder, 'public'), 'x', 0o644);
    expect(modeOf(join(folder, 'secret'))).toBe(0o600);
    expect(modeOf(join(folder, 'public'))).toBe(0o644);
  });

  it('replaces a file that was open to others by one that is not', () => {
    writeFileSync(join(folder, 'file'), 'old', { mode: 0o644 });
    writeFileAtomic(join(folder, 'file'), 'new');
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new');
    expect(modeOf(join(folder, 'file'))).toBe(0o600);
  });

  it('leaves a reader of the old file the old content, because the file is another one', () => {
    const path = join(folder, 'file');
    writeFileAtomic(path, 'old');
    const before = statSync(path).ino;
    writeFileAtomic(path, 'new');
    expect(statSync(path).ino).not.toBe(before);
  });

  it('leaves nothing beside the file', () => {
    writeFileAtomic(join(folder, 'file'), 'x');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('leaves what stands where it cannot write', () => {
    mkdirSync(join(folder, 'taken'));
    expect(() => writeFileAtomic(join(folder, 'taken'), 'x')).toThrow();
    expect(statSync(join(folder, 'taken')).isDirectory()).toBe(true);
    expect(() => writeFileAtomic(join(folder, 'absent', 'file'), 'x')).toThrow('ENOENT');
    expect(existsSync(join(folder, 'absent'))).toBe(false);
  });
});

it('an absent file reads as undefined, an empty one as empty', () => {
  expect(readIfPresent(join(folder, 'absent'))).toBeUndefined();
  writeFileSync(join(folder, 'empty'), '');
  expect(readIfPresent(join(folder, 'empty'))).toBe('');
});
