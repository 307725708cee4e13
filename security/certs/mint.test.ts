import { createHash, createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import type { Home } from '../../core/home.ts';
import { MINT_TIMEOUT, temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { PRINCIPAL_NAMES } from '../principals/names.ts';
import { LEAF_LIFETIME } from './certificate.ts';
import { authorityPaths, identities, LOOPBACK_HOSTS, nameServers, principalAccess } from './identities.ts';
import { mintCertificates } from './mint.ts';

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

function certificateOf(home: Home, name: string): X509Certificate {
  const identity = identities(home).find((each) => each.name === name);
  return new X509Certificate(readFileSync(identity?.certificate ?? ''));
}

function everyFile(home: Home): Map<string, string> {
  const files = readdirSync(home.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path, readFileSync(path, 'utf8')]),
  );
}

describe('what is minted', () => {
  it('is a certificate for each server and principal, signed by the authority of the home', () => {
    const { home } = original;
    const authority = new X509Certificate(readFileSync(authorityPaths(home).trust));
    for (const name of ['kafka', 'cassandra', ...PRINCIPAL_NAMES]) {
      const certificate = certificateOf(home, name);
      expect(certificate.verify(authority.publicKey)).toBe(true);
      expect(certificate.checkIssued(authority)).toBe(true);
      expect(certificate.ca).toBe(false);
      expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    }
    expect(authority.ca).toBe(true);
    expect(authority.publicKey.asymmetricKeyDetails?.modulusLength).toBe(3072);
  });

  it('bears the SHA-1 of its public key, and of the one that signed it', () => {
    const { home } = original;
    // The key is the end of its DER form: 65 bytes of a point, or what follows the 24 bytes before an RSA key of 3072 bits.
    const identifier = ({ publicKey }: X509Certificate): string => {
      const der = publicKey.export({ type: 'spki', format: 'der' });
      return createHash('sha1')
        .update(publicKey.asymmetricKeyType === 'ec' ? der.subarray(-65) : der.subarray(24))
        .digest('hex');
    };
    const authority = new X509Certificate(readFileSync(authorityPaths(home).trust));
    // OBJECT IDENTIFIER 2.5.29.14 or 2.5.29.35, then the identifier as an OCTET STRING or in a sequence.
    expect(authority.raw.toString('hex')).toContain(`0603551d0e04160414${identifier(authority)}`);
    const leaf = certificateOf(home, 'kafka');
    expect(leaf.raw.toString('hex')).toContain(`0603551d0e04160414${identifier(leaf)}`);
    expect(leaf.raw.toString('hex')).toContain(`0603551d23041830168014${identifier(authority)}`);
  });

  it('names a server by its hosts and a principal by its SPIFFE ID alone', () => {
    const { home } = original;
    expect(certificateOf(home, 'kafka').checkHost('localhost')).toBe('localhost');
    expect(certificateOf(home, 'kafka').checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificateOf(home, 'cassandra').checkIP('::1')).toBe('::1');
    expect(certificateOf(home, 'worker').subjectAltName).toBe(`URI:spiffe://wardline/${home.install}/principal/worker`);
  });

  it('lets a principal be a client only', () => {
    const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
    expect(certificateOf(original.home, 'reader').keyUsage).toEqual([clientAuth]);
    expect(certificateOf(original.home, 'kafka').keyUsage).toEqual([serverAuth, clientAuth]);
  });

  it('has positive serial numbers of 16 octets, all different', () => {
    const serials = identities(original.home).map(({ name }) => certificateOf(original.home, name).serialNumber);
    expect(new Set(serials).size).toBe(serials.length);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it('has an Ed25519 signing key for each principal', () => {
    for (const { signing } of identities(original.home)) {
      if (signing === undefined) continue;
      const signature = sign(null, Buffer.from('event'), createPrivateKey(readFileSync(signing.key)));
      expect(verify(null, Buffer.from('event'), createPublicKey(readFileSync(signing.public)), signature)).toBe(true);
    }
  });

  it('has a password of 32 random bytes for each principal, no two alike', () => {
    const passwords = identities(original.home).flatMap(({ secrets }) =>
      secrets.map((path) => readFileSync(path, 'utf8')),
    );
    expect(passwords).toHaveLength(PRINCIPAL_NAMES.length + 2);
    expect(new Set(passwords).size).toBe(passwords.length);
    for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('is for the eyes of its owner', () => {
    for (const entry of readdirSync(original.home.path, { recursive: true, withFileTypes: true })) {
      const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777;
      expect([entry.name, mode]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
    }
  });
});

describe('minting again', () => {
  it('changes nothing where everything stands', async () => {
    const home = copy();
    const before = everyFile(home);
    expect(await mintCertificates(home, systemClock)).toEqual({ made: [] });
    expect(everyFile(home)).toEqual(before);
  });

  it('makes a certificate again whose key is missing, and no other', async () => {
    const home = copy();
    rmSync(principalAccess(home, 'worker').key);
    expect(await mintCertificates(home, systemClock)).toEqual({ made: ['worker'] });
    const key = createPrivateKey(readFileSync(principalAccess(home, 'worker').key));
    expect(certificateOf(home, 'worker').checkPrivateKey(key)).toBe(true);
  });

  it("makes a certificate again that stands beside another's key, or under another's name", async () => {
    const home = copy();
    writeFileSync(principalAccess(home, 'worker').key, readFileSync(principalAccess(home, 'reader').key));
    writeFileSync(
      principalAccess(home, 'source').certificate,
      readFileSync(principalAccess(home, 'reader').certificate),
    );
    writeFileSync(principalAccess(home, 'source').key, readFileSync(principalAccess(home, 'reader').key));
    expect((await mintCertificates(home, systemClock)).made).toEqual(['source', 'worker']);
  });

  it('makes a damaged certificate and a stale bundle again', async () => {
    const home = copy();
    writeFileSync(
      principalAccess(home, 'notary').certificate,
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    );
    writeFileSync(join(home.paths.servers, 'kafka', 'tls.pem'), '');
    expect((await mintCertificates(home, systemClock)).made).toEqual(['kafka', 'notary']);
  });

  it('renews what has expired', async () => {
    const home = copy();
    const later = { now: () => Date.now() + LEAF_LIFETIME + 60_000 };
    expect((await mintCertificates(home, later)).made).toHaveLength(11);
    expect((await mintCertificates(home, later)).made).toEqual([]);
  });

  it('renews servers whose certificates lack a name that is asked for', async () => {
    const home = copy();
    nameServers(home, { kafka: [...LOOPBACK_HOSTS, 'kafka.internal'], cassandra: LOOPBACK_HOSTS });
    expect((await mintCertificates(home, systemClock)).made).toEqual(['kafka']);
    expect(certificateOf(home, 'kafka').checkHost('kafka.internal')).toBe('kafka.internal');
  });

  it('keeps the signing key, and derives its lost public half again', async () => {
    const home = copy();
    const access = principalAccess(home, 'operator');
    const [key, publicPath] = [
      readFileSync(access.signingKey, 'utf8'),
      join(home.paths.principals, 'operator', 'signing.pub'),
    ];
    const publicHalf = readFileSync(publicPath, 'utf8');
    rmSync(publicPath);
    await mintCertificates(home, systemClock);
    expect(readFileSync(access.signingKey, 'utf8')).toBe(key);
    expect(readFileSync(publicPath, 'utf8')).toBe(publicHalf);
  });

  it('never replaces a damaged signing key', async () => {
    const home = copy();
    writeFileSync(principalAccess(home, 'operator').signingKey, 'damaged');
    await expect(mintCertificates(home, systemClock)).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
    expect(readFileSync(principalAccess(home, 'operator').signingKey, 'utf8')).toBe('damaged');
  });
});

describe('an authority that was killed half-way', () => {
  it('is made anew where it never had a certificate', async () => {
    const home = copy();
    const paths = authorityPaths(home);
    rmSync(paths.certificate);
    rmSync(paths.trust);
    expect((await mintCertificates(home, systemClock)).made).toHaveLength(11);
  });

  it('finds its certificate in the trust bundle', async () => {
    const home = copy();
    const paths = authorityPaths(home);
    const certificate = readFileSync(paths.certificate, 'utf8');
    rmSync(paths.certificate);
    expect(await mintCertificates(home, systemClock)).toEqual({ made: [] });
    expect(readFileSync(paths.certificate, 'utf8')).toBe(certificate);
  });

  it('is never replaced in silence where its key is of another', async () => {
    const home = copy();
    writeFileSync(authorityPaths(home).key, readFileSync(principalAccess(home, 'reader').key));
    await expect(mintCertificates(home, systemClock)).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });
});

describe('an authority whose key was taken to a safer place', () => {
  it('is enough as long as nothing has to be signed', async () => {
    const home = copy();
    renameSync(authorityPaths(home).key, join(home.path, 'elsewhere'));
    expect(await mintCertificates(home, systemClock)).toEqual({ made: [] });
    rmSync(principalAccess(home, 'worker').certificate);
    await expect(mintCertificates(home, systemClock)).rejects.toMatchObject({ code: 'CREDENTIAL_MISSING' });
  });
});
