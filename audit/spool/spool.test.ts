import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventStatement } from '../event/event.ts';
import { trustedKeys } from '../signature/signing-key.ts';
import { readSpool, spoolAuditLog } from './spool.ts';
import { verifyEvent } from '../event/verify-event.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
});
const signer = { principal: 'operator', host: 'h', install: 'i1', signingKeyPem: privateKey, clock: { now: () => 0 } };
const event = (id: string): EventStatement => ({
  action: 'stack.up',
  object: { type: 'home', id },
  outcome: 'success',
});
const unverified = (text: string) =>
  expect.objectContaining({
    code: 'AUDIT_EVENT_UNVERIFIED',
    message: expect.stringContaining(text) as string,
  }) as Error;

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'spool-'));
  folder = join(parent, 'spool');
});
afterEach(() => rmSync(parent, { recursive: true }));

describe('the spool', () => {
  it('is empty where nothing was appended', () => {
    expect(readSpool(folder, 'i1')).toEqual([]);
  });

  it('keeps events in order, each verifiable, in files for the owner only', async () => {
    await spoolAuditLog(folder, signer).appendAll([event('a'), event('b')]);
    await spoolAuditLog(folder, signer).append(event('c'));
    const keys = trustedKeys([{ principal: 'operator', publicKeyPem: publicKey }]);
    const ids = readSpool(folder, 'i1').map((entry) => verifyEvent(Buffer.from(entry.event), keys).object.id);
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('names an entry that was changed, removed, or comes from another installation', async () => {
    await spoolAuditLog(folder, signer).appendAll([event('a'), event('b'), event('c')]);
    const [first = '', second = ''] = readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
    expect(() => readSpool(folder, 'i2')).toThrow(unverified('entry 0 does not continue'));
    const original = readFileSync(first, 'utf8');
    writeFileSync(first, original.replace('"event":"e', '"event":"f'));
    expect(() => readSpool(folder, 'i1')).toThrow(unverified('entry 1 does not continue'));
    writeFileSync(first, 'half');
    expect(() => readSpool(folder, 'i1')).toThrow(unverified('entry 0 is not a spool entry'));
    writeFileSync(first, original);
    rmSync(second);
    expect(() => readSpool(folder, 'i1')).toThrow(unverified('entry 1 is missing'));
  });

  it('passes over what a crash left aside', async () => {
    await spoolAuditLog(folder, signer).append(event('a'));
    writeFileSync(join(folder, '5d1c.new'), '{"event":"ha');
    await spoolAuditLog(folder, signer).append(event('b'));
    expect(readSpool(folder, 'i1').length).toBe(2);
  });

  it('rejects with AUDIT_UNAVAILABLE where the folder cannot be written, and after it was closed', async () => {
    writeFileSync(folder, 'a file in the way');
    await expect(spoolAuditLog(folder, signer).append(event('a'))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    rmSync(folder);
    const log = spoolAuditLog(folder, signer);
    await log.close();
    await expect(log.append(event('a'))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});
