import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { issueAuthority, type Issuer } from './certificate.ts';
import { authorityPaths } from './identities.ts';
import { generateAuthorityKeyPair } from './key-pair.ts';
import { matchesKey, parseBundle, parseCertificate } from './parse.ts';

/** The authority as it stands. `privateKey` is undefined where the key was taken away to a safer place. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly privateKey: string | undefined;
  /** Everyone whom this home trusts: the current authority first. */
  readonly trusted: readonly X509Certificate[];
}

/**
 * Reads the authority, or returns undefined where none was ever finished. Which certificate is the current one, its key
 * decides: after a crash between two writes the certificate of the key is found in the trust bundle.
 * Throws CERTIFICATE_INVALID where the key belongs to no certificate.
 */
export function readAuthority(home: Home): Authority | undefined {
  const paths = authorityPaths(home);
  const privateKey = readIfPresent(paths.key);
  const written = parseCertificate(readIfPresent(paths.certificate));
  const trusted = parseBundle(readIfPresent(paths.trust));
  const candidates = written === undefined ? trusted : [written, ...trusted];
  const certificate =
    privateKey === undefined ? written : candidates.find((candidate) => matchesKey(candidate, privateKey));
  if (certificate !== undefined)
    return { certificate, privateKey, trusted: withoutDuplicates([certificate, ...trusted]) };
  if (written === undefined) return undefined;
  throw new WardlineError('CERTIFICATE_INVALID', `${home.paths.authority}: ca.key does not belong to ca.crt`, {
    hint: 'restore both from one copy, or make a new authority with: wardline certs rotate --authority',
  });
}

/**
 * The authority of this home, made first where there is none, mended where a crash left it half-written.
 * An authority of the past is no longer trusted once it has expired.
 * Throws CERTIFICATE_INVALID where key and certificate do not belong together, or the current one has expired.
 */
export async function ensureAuthority(home: Home, clock: Clock): Promise<Authority> {
  makeSecretFolder(home.paths.authority);
  const found = readAuthority(home);
  if (found === undefined) return createAuthority(home, clock, []);
  const { certificate } = found;
  const inForce = (candidate: X509Certificate): boolean => candidate.validToDate.getTime() > clock.now();
  if (!inForce(certificate)) {
    throw new WardlineError('CERTIFICATE_INVALID', 'the certificate authority of this home has expired', {
      hint: 'make a new one with: wardline certs rotate --authority',
    });
  }
  const authority = { ...found, trusted: found.trusted.filter(inForce) };
  const paths = authorityPaths(home);
  writeIfDifferent(paths.certificate, certificate.toString());
  writeIfDifferent(paths.trust, bundle(authority.trusted));
  return authority;
}

/**
 * Makes a new authority that is trusted beside `previous`. The order of the writes is what makes a crash harmless:
 * nothing is ever signed by an authority that the trust bundle does not hold yet, and a key without its certificate
 * finds it in the bundle.
 */
export async function createAuthority(
  home: Home,
  clock: Clock,
  previous: readonly X509Certificate[],
  afterTrust: () => Promise<void> = () => Promise.resolve(),
): Promise<Authority> {
  const paths = authorityPaths(home);
  const pair = await generateAuthorityKeyPair();
  const certificate = new X509Certificate(issueAuthority(pair, home.install, clock.now()));
  const trusted = [certificate, ...previous];
  writeTrust(home, trusted);
  await afterTrust();
  writeFileAtomic(paths.key, pair.privateKey);
  writeFileAtomic(paths.certificate, certificate.toString());
  return { certificate, privateKey: pair.privateKey, trusted };
}

/** Writes the bundle of trusted authorities, whole or not at all. */
export function writeTrust(home: Home, trusted: readonly X509Certificate[]): void {
  writeFileAtomic(authorityPaths(home).trust, bundle(trusted));
}

function bundle(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}

/** Leaves a file that is right alone, so that nobody who watches it reconnects for nothing. */
function writeIfDifferent(path: string, content: string): void {
  if (readIfPresent(path) !== content) writeFileAtomic(path, content);
}

/** The authority as one that can sign. Throws CREDENTIAL_MISSING where its key was taken away. */
export function asIssuer(authority: Authority): Issuer {
  if (authority.privateKey === undefined) {
    throw new WardlineError(
      'CREDENTIAL_MISSING',
      'a certificate is needed, and the key of the authority is not in this home',
      {
        hint: 'put authority/ca.key back, or make a new authority with: wardline certs rotate --authority',
      },
    );
  }
  return { certificate: authority.certificate.toString(), privateKey: authority.privateKey };
}

function withoutDuplicates(certificates: readonly X509Certificate[]): X509Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values()];
}
