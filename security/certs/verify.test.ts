import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Home } from '../../core/home.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { AUTHORITY_LIFETIME, LEAF_LIFETIME } from './certificate.ts';
import { authorityPaths, identities, principalAccess } from './identities.ts';
import { mintCertificates, renewCertificate } from './mint.ts';
import { verifyCertificates } from './verify.ts';

let original: TemporaryHome;
let other: TemporaryHome;
const copies: TemporaryHome[] = [];

beforeAll(async () => {
  original = temporaryHome();
  other = temporaryHome();
  await mintCertificates(original.home, systemClock);
  await mintCertificates(other.home, systemClock);
}, MINT_TIMEOUT);
afterEach(() => copies.splice(0).forEach((copy) => copy.remove()));
afterAll(() => [original, other].forEach((home) => home.remove()));

function failed(home: Home, at = Date.now()): string[] {
  return verifyCertificates(home, { now: () => at })
    .filter((row) => !row.passed)
    .map((row) => `${row.name}: ${row.check}`);
}

const access = (home: Home) => principalAccess(home, 'worker');
/** Ways to spoil one principal, and the checks that must notice. */
const DAMAGES: readonly [string, (home: Home) => void, readonly string[]][] = [
  [
    'no certificate',
    (home) => rmSync(access(home).certificate),
    ['certificate present', 'key matches', 'issued by a trusted authority', 'within its time', 'names', 'usages'],
  ],
  ['no key', (home) => rmSync(access(home).key), ['key matches']],
  [
    "another installation's certificate and key",
    (home) => {
      writeFileSync(access(home).certificate, readFileSync(access(other.home).certificate));
      writeFileSync(access(home).key, readFileSync(access(other.home).key));
    },
    ['issued by a trusted authority', 'names'],
  ],
  [
    "another principal's certificate and key",
    (home) => {
      writeFileSync(access(home).certificate, readFileSync(principalAccess(home, 'reader').certificate));
      writeFileSync(access(home).key, readFileSync(principalAccess(home, 'reader').key));
    },
    ['names'],
  ],
  [
    "a server's certificate and key",
    (home) => {
      writeFileSync(access(home).certificate, readFileSync(join(home.paths.servers, 'kafka', 'tls.crt')));
      writeFileSync(access(home).key, readFileSync(join(home.paths.servers, 'kafka', 'tls.key')));
    },
    ['names', 'usages'],
  ],
  [
    "another's signing key",
    (home) => writeFileSync(access(home).signingKey, readFileSync(principalAccess(home, 'reader').signingKey)),
    ['signing key pair'],
  ],
  ['a short password', (home) => writeFileSync(access(home).passwordFile, 'secret'), ['passwords present']],
  ['a key that others may read', (home) => chmodSync(access(home).key, 0o644), ['file modes']],
  ['a folder that others may enter', (home) => chmodSync(join(home.paths.principals, 'worker'), 0o755), ['file modes']],
];

describe('verifyCertificates', () => {
  it('passes what was just minted, with a row for every check', () => {
    const rows = verifyCertificates(original.home, systemClock);
    expect(rows.every((row) => row.passed)).toBe(true);
    expect(rows.filter((row) => row.name === 'worker').map((row) => row.check)).toEqual([
      'certificate present',
      'key matches',
      'issued by a trusted authority',
      'within its time',
      'names',
      'usages',
      'bundle agrees',
      'signing key pair',
      'passwords present',
      'file modes',
    ]);
  });

  it.each(DAMAGES)('notices %s', (_name, damage, checks) => {
    const spoilt = temporaryHome(original.home);
    copies.push(spoilt);
    damage(spoilt.home);
    expect(failed(spoilt.home)).toEqual(checks.map((check) => `worker: ${check}`));
  });

  it('notices certificates that have expired, and those that are not valid yet', () => {
    expect(failed(original.home, Date.now() + LEAF_LIFETIME + 1000)).toHaveLength(11);
    expect(failed(original.home, Date.now() + AUTHORITY_LIFETIME + 1000)).toContain('authority: within its time');
    expect(failed(original.home, Date.now() - 60 * 60 * 1000)).toHaveLength(11);
  });

  it('notices an authority whose key is of another', () => {
    const spoilt = temporaryHome(original.home);
    copies.push(spoilt);
    writeFileSync(authorityPaths(spoilt.home).key, readFileSync(authorityPaths(other.home).key));
    expect(failed(spoilt.home)).toContain('authority: key matches');
  });

  it('notices a forged certificate: the same names from an authority of the same name', async () => {
    const spoilt = temporaryHome(original.home);
    copies.push(spoilt);
    const worker = identities(spoilt.home).find((identity) => identity.name === 'worker');
    const issuer = {
      certificate: readFileSync(authorityPaths(spoilt.home).certificate, 'utf8'),
      privateKey: readFileSync(authorityPaths(other.home).key, 'utf8'),
    };
    if (worker !== undefined) await renewCertificate(worker, issuer, systemClock);
    expect(failed(spoilt.home)).toEqual(['worker: issued by a trusted authority']);
  });

  it('says that there is nothing where nothing was minted', () => {
    const empty = temporaryHome();
    copies.push(empty);
    expect(failed(empty.home)).toContain('authority: certificate present');
  });
});
