import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Home } from '../../core/home.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { authorityPaths, principalAccess } from './identities.ts';
import { listCertificates } from './list.ts';
import { mintCertificates } from './mint.ts';
import { finishRotation, rotateCertificates } from './rotate.ts';
import { verifyCertificates } from './verify.ts';

let original: TemporaryHome;
const copies: TemporaryHome[] = [];

beforeAll(async () => {
  original = temporaryHome();
  await mintCertificates(original.home, systemClock);
}, MINT_TIMEOUT);
afterEach(() => copies.splice(0).forEach((copy) => copy.remove()));
afterAll(() => original.remove());

function copy(): Home {
  const made = temporaryHome(original.home);
  copies.push(made);
  return made.home;
}

function serials(home: Home): Map<string, string> {
  return new Map(listCertificates(home).map((row) => [`${row.kind} ${row.name}`, row.serial]));
}

function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...after].filter(([name, serial]) => before.get(name) !== serial).map(([name]) => name);
}

const faults = (home: Home) => verifyCertificates(home, systemClock).filter((row) => !row.passed);

describe('rotateCertificates', () => {
  it('renews key and certificate of the names it is given, and keeps signing key and password', async () => {
    const home = copy();
    const before = serials(home);
    const access = principalAccess(home, 'worker');
    const kept = [access.signingKey, access.passwordFile].map((path) => readFileSync(path, 'utf8'));
    const key = readFileSync(access.key, 'utf8');
    expect(await rotateCertificates(home, systemClock, { names: ['worker', 'kafka'] })).toEqual({
      rotated: ['kafka', 'worker'],
      trusted: 1,
    });
    expect(changed(before, serials(home))).toEqual(['server kafka', 'principal worker']);
    expect(readFileSync(access.key, 'utf8')).not.toBe(key);
    expect([access.signingKey, access.passwordFile].map((path) => readFileSync(path, 'utf8'))).toEqual(kept);
    expect(faults(home)).toEqual([]);
  });

  it('refuses a name that nobody has', async () => {
    await expect(rotateCertificates(copy(), systemClock, { names: ['wroker'] })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('trusts the new authority beside the old one until the rotation is finished', async () => {
    const home = copy();
    const oldAuthority = readFileSync(authorityPaths(home).certificate, 'utf8');
    const result = await rotateCertificates(home, systemClock, { authority: true });
    expect(result.trusted).toBe(2);
    expect(result.rotated).toHaveLength(11);
    expect(readFileSync(authorityPaths(home).trust, 'utf8')).toContain(oldAuthority);
    expect(listCertificates(home).map((row) => row.kind)).toEqual(
      expect.arrayContaining(['authority', 'former authority']),
    );
    expect(faults(home)).toEqual([]);
    await finishRotation(home, systemClock);
    expect(readFileSync(authorityPaths(home).trust, 'utf8')).not.toContain(oldAuthority);
    expect(faults(home)).toEqual([]);
  });

  it('has both authorities trusted, and nothing of the new one in use, when servers are told to load the bundle', async () => {
    const home = copy();
    const before = serials(home);
    const seen: string[][] = [];
    const afterTrust = (): Promise<void> => {
      const blocks = readFileSync(authorityPaths(home).trust, 'utf8').match(/BEGIN CERTIFICATE/g) ?? [];
      seen.push([
        String(blocks.length),
        ...changed(before, serials(home)).filter((name) => !name.includes('authority')),
      ]);
      return Promise.resolve();
    };
    await rotateCertificates(home, systemClock, { authority: true, afterTrust });
    expect(seen).toEqual([['2']]);
  });

  it('can be run again after it was killed while servers were loading the bundle', async () => {
    const home = copy();
    const killed = rotateCertificates(home, systemClock, {
      authority: true,
      afterTrust: () => Promise.reject(new Error('killed')),
    });
    await expect(killed).rejects.toThrow('killed');
    expect(faults(home)).toEqual([]);
    expect(await mintCertificates(home, systemClock)).toEqual({ made: [] });
    await rotateCertificates(home, systemClock, { authority: true });
    expect(await finishRotation(home, systemClock)).toEqual({ rotated: [], trusted: 1 });
    expect(faults(home)).toEqual([]);
  });

  it('mends an authority that was killed between its new key and its new certificate', async () => {
    const home = copy();
    const paths = authorityPaths(home);
    const oldCertificate = readFileSync(paths.certificate, 'utf8');
    await rotateCertificates(home, systemClock, { authority: true });
    const newCertificate = readFileSync(paths.certificate, 'utf8');
    writeFileSync(paths.certificate, oldCertificate);
    await mintCertificates(home, systemClock);
    expect(readFileSync(paths.certificate, 'utf8')).toBe(newCertificate);
    expect(faults(home)).toEqual([]);
  });

  it('replaces a damaged authority', async () => {
    const home = copy();
    writeFileSync(authorityPaths(home).key, readFileSync(principalAccess(home, 'reader').key));
    await rotateCertificates(home, systemClock, { authority: true });
    expect(faults(home)).toEqual([]);
  });
});

describe('finishRotation', () => {
  it('locks nobody out', async () => {
    const home = copy();
    const access = principalAccess(home, 'worker');
    const [certificate, key] = [readFileSync(access.certificate), readFileSync(access.key)];
    await rotateCertificates(home, systemClock, { authority: true });
    writeFileSync(access.certificate, certificate);
    writeFileSync(access.key, key);
    await expect(finishRotation(home, systemClock)).rejects.toMatchObject({
      code: 'CERTIFICATE_INVALID',
      message: expect.stringContaining('worker') as string,
    });
    expect(listCertificates(home).filter((row) => row.kind === 'former authority')).toHaveLength(1);
  });
});
