import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, codeOfAsync } from '../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { decryptBytes, encryptBytes } from './age-file.ts';
import {
  describeRecipients,
  ensureRecovery,
  makeDrillIdentity,
  makeRecovery,
  readIdentities,
  readRecipients,
} from './recovery.ts';

const clock = { now: () => Date.parse('2026-03-01T12:00:00Z') };
let temporary: TemporaryHome;
beforeEach(() => {
  temporary = temporaryHome();
});
afterEach(() => temporary.remove());

/** As somebody does who keeps it elsewhere. */
function takeAway(): string {
  const { identityFile } = describeRecipients(temporary.home);
  const kept = join(dirname(temporary.home.path), 'kept.txt');
  renameSync(identityFile ?? '', kept);
  return kept;
}

describe('the recovery identity', () => {
  it('is made once, whoever asks how often and at once', async () => {
    const { home } = temporary;
    expect(codeOf(() => readRecipients(home))).toBe('IDENTITY_MISSING');
    await Promise.all([1, 2, 3].map(() => ensureRecovery(home, clock)));
    const before = readRecipients(home);
    expect(before).toHaveLength(1);
    expect(await ensureRecovery(home, clock)).toBe(false);
    expect(readRecipients(home)).toEqual(before);
    const text = Buffer.from('text');
    expect(await decryptBytes(readIdentities(home), await encryptBytes(before, text))).toEqual(text);
  });

  it('is an identity file of age’s own form, for the owner alone', async () => {
    await ensureRecovery(temporary.home, clock);
    const { identityFile = '', recovery } = describeRecipients(temporary.home);
    expect(readFileSync(identityFile, 'utf8')).toMatch(
      new RegExp(`^# created: 2026-03-01T12:00:00.000Z\n# public key: ${recovery}\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n$`),
    );
    expect(statSync(identityFile).mode & 0o777).toBe(0o600);
    for (const folder of [dirname(identityFile), temporary.home.paths.backup])
      expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('taken away leaves a home that encrypts and cannot decrypt', async () => {
    const { home } = temporary;
    await ensureRecovery(home, clock);
    const kept = takeAway();
    expect(describeRecipients(home).identityFile).toBeUndefined();
    expect(codeOf(() => readIdentities(home))).toBe('IDENTITY_MISSING');
    expect(await ensureRecovery(home, clock)).toBe(false);
    const file = await encryptBytes(readRecipients(home), Buffer.from('text'));
    expect((await decryptBytes(readIdentities(home, kept), file)).toString()).toBe('text');
  });

  it('is the same after a crash between its two files', async () => {
    const { home } = temporary;
    await ensureRecovery(home, clock);
    const [recipient] = readRecipients(home);
    renameSync(home.paths.recipients, join(home.paths.backup, 'lost'));
    expect(await ensureRecovery(home, clock)).toBe(true);
    expect(readRecipients(home)).toEqual([recipient]);
  });

  it('made anew is the one to encrypt to; the one before still opens what was made before', async () => {
    const { home } = temporary;
    await ensureRecovery(home, clock);
    const [first = ''] = readRecipients(home);
    const old = await encryptBytes([first], Buffer.from('old'));
    const { recipient } = await makeRecovery(home, clock);
    expect(readRecipients(home)).toEqual([recipient]);
    expect(describeRecipients(home)).toMatchObject({ recovery: recipient, former: [first] });
    expect((await decryptBytes(readIdentities(home), old)).toString()).toBe('old');
    takeAway();
    const { recipient: third } = await makeRecovery(home, clock);
    expect(describeRecipients(home)).toMatchObject({ recovery: third, former: [recipient, first] });
    expect(await codeOfAsync(() => decryptBytes(readIdentities(home), old))).toBe('IDENTITY_WRONG');
  });

  it('is joined by a drill identity, which stays, only where one is asked for', async () => {
    const { home } = temporary;
    expect(await codeOfAsync(() => makeDrillIdentity(home, clock))).toBe('IDENTITY_MISSING');
    await ensureRecovery(home, clock);
    const { recipient } = await makeDrillIdentity(home, clock);
    expect(readRecipients(home)).toEqual([describeRecipients(home).recovery, recipient]);
    takeAway();
    const file = await encryptBytes(readRecipients(home), Buffer.from('text'));
    expect((await decryptBytes(readIdentities(home), file)).toString()).toBe('text');
    await makeRecovery(home, clock);
    expect(readRecipients(home)[1]).toBe(recipient);
  });

  it('is refused where the file is none, or says something else; what it says is not repeated', async () => {
    await ensureRecovery(temporary.home, clock);
    const path = join(dirname(temporary.home.path), 'other.txt');
    expect(codeOf(() => readIdentities(temporary.home, path))).toBe('IDENTITY_MISSING');
    for (const text of ['', '# nothing\n', 'AGE-SECRET-KEY-1QQ\nhunter2\n']) {
      writeFileSync(path, text);
      expect(codeOf(() => readIdentities(temporary.home, path))).toBe('IDENTITY_WRONG');
    }
    let said = '';
    try {
      readIdentities(temporary.home, path);
    } catch (error) {
      said = String(error);
    }
    expect(said).not.toContain('hunter2');
  });

  it('is not made up where the list of recipients is damaged', async () => {
    const { home } = temporary;
    await ensureRecovery(home, clock);
    writeFileSync(home.paths.recipients, '{');
    expect(codeOf(() => readRecipients(home))).toBe('CONFIGURATION_INVALID');
    expect(await codeOfAsync(() => ensureRecovery(home, clock))).toBe('CONFIGURATION_INVALID');
  });
});
