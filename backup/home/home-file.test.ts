import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { openOrCreateHome, type Home } from '../../core/home.ts';
import { stackLayout } from '../../stack/index.ts';
import { scratch } from '../../test/support/scratch.ts';
import { encryptBytes } from '../recipients/age-file.ts';
import { describeRecipients, ensureRecovery, readIdentities, readRecipients } from '../recipients/recovery.ts';
import { openSealedHome, sealHome } from './home-file.ts';

const { folder } = scratch();
let home: Home;
let target: string;
let count = 0;

beforeEach(async () => {
  home = openOrCreateHome(join(folder, `home-${(count += 1)}`));
  target = join(folder, `target-${count}`);
  await ensureRecovery(home, systemClock);
  put('principals/source/signing.key', 'a key');
  put('wardline.yaml', 'source: { sealThreads: 1 }\n');
  put('cassandra/data/file', 'what servers hold');
  mkdirSync(stackLayout(home).ports.replace(/\/[^/]*$/, ''), { recursive: true });
  writeFileSync(stackLayout(home).ports, '{}');
});

function put(place: string, text: string): void {
  const file = join(home.path, place);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
}

const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted();

describe('a saved home', () => {
  it('is the same installation once more, without what servers hold, ports and the recovery identity', async () => {
    const { bytes, files } = await sealHome(home);
    const made = await openSealedHome(bytes, readIdentities(home), target);
    expect(made.install).toBe(home.install);
    expect(filesIn(target)).toEqual([
      'backup/recipients.json',
      'home.json',
      'principals/source/signing.key',
      'wardline.yaml',
    ]);
    expect(files).toBe(3);
    expect(readFileSync(join(target, 'principals/source/signing.key'), 'utf8')).toBe('a key');
    expect(statSync(join(target, 'principals/source')).mode & 0o777).toBe(0o700);
    expect(statSync(join(target, 'principals/source/signing.key')).mode & 0o777).toBe(0o600);
    expect(readRecipients(made)).toEqual(readRecipients(home));
  });

  it('opens for the recovery identity alone', async () => {
    const { bytes } = await sealHome(home);
    const other = await generateX25519Identity();
    await expect(openSealedHome(bytes, [other], target)).rejects.toMatchObject({ code: 'IDENTITY_WRONG' });
    expect(bytes.includes('a key')).toBe(false);
  });

  it('is not made where something is', async () => {
    const { bytes } = await sealHome(home);
    await expect(openSealedHome(bytes, readIdentities(home), home.path)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('what somebody else encrypted to the recovery identity', () => {
  const file = (path: string): object => ({ path, mode: 0o600, content: 'eA==' });

  it.each([
    ['a file outside the home', [file('../outside')]],
    ['a file by its whole path', [file('/etc/outside')]],
    ['a path that goes around', [file('principals/../../outside')]],
    ['no file', []],
  ])('is no home: %s', async (_what, files) => {
    const text = JSON.stringify({ format: 1, install: home.install, files });
    const bytes = await encryptBytes([describeRecipients(home).recovery], Buffer.from(text));
    await expect(openSealedHome(bytes, readIdentities(home), target)).rejects.toMatchObject({
      code: 'OBJECT_DAMAGED',
    });
    expect(filesIn(folder).filter((name) => name.includes('outside'))).toEqual([]);
  });
});
