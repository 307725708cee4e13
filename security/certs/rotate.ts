import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { readIfPresent } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { asIssuer, createAuthority, ensureAuthority, writeTrust } from './authority.ts';
import { authorityPaths, identities, type Identity } from './identities.ts';
import { renewCertificate } from './mint.ts';
import { parseBundle, parseCertificate } from './parse.ts';

interface RotateOptions {
  /** Servers and principals to rotate; all unless told otherwise. A new authority always means all. */
  readonly names?: readonly string[];
  /** Also makes a new authority, trusted beside the old one until `finishRotation`. */
  readonly authority?: boolean;
  /**
   * Called once both authorities are trusted and before anything bears the new one's signature: whoever keeps the bundle
   * in memory (the servers) must load it here, or it will refuse the new certificates.
   */
  readonly afterTrust?: () => Promise<void>;
}

export interface RotationResult {
  /** Names whose key and certificate are new. */
  readonly rotated: readonly string[];
  /** Authorities that are trusted now: two while a rotation of the authority is not finished. */
  readonly trusted: number;
}

/**
 * Replaces keys and certificates. The old ones stay valid until they expire, so what is connected stays connected, and
 * servers and clients change over one by one. Signing keys and passwords stay. Killed half-way, it can be run again.
 * Throws USAGE for an unknown name, CREDENTIAL_MISSING without the authority's key, CERTIFICATE_INVALID where the
 * authority is damaged or expired and no new one was asked for.
 */
export async function rotateCertificates(
  home: Home,
  clock: Clock,
  options: RotateOptions = {},
): Promise<RotationResult> {
  const chosen = choose(identities(home), options);
  const authority =
    options.authority === true
      ? await createAuthority(home, clock, stillTrusted(home, clock), options.afterTrust)
      : await ensureAuthority(home, clock);
  const issuer = asIssuer(authority);
  await Promise.all(chosen.map((identity) => renewCertificate(identity, issuer, clock)));
  return { rotated: chosen.map((identity) => identity.name), trusted: authority.trusted.length };
}

/**
 * Ends a rotation of the authority: only the current one is trusted from now on. To be called when servers and clients
 * all use new certificates. Throws CERTIFICATE_INVALID where a certificate of this home would be locked out.
 */
export async function finishRotation(home: Home, clock: Clock): Promise<RotationResult> {
  const { certificate } = await ensureAuthority(home, clock);
  const stranded = identities(home).filter((identity) => {
    const leaf = parseCertificate(readIfPresent(identity.certificate));
    return leaf !== undefined && !(leaf.checkIssued(certificate) && leaf.verify(certificate.publicKey));
  });
  if (stranded.length > 0) {
    const names = stranded.map((identity) => identity.name);
    throw new WardlineError('CERTIFICATE_INVALID', `still signed by a former authority: ${names.join(', ')}`, {
      hint: `renew them first with: wardline certs rotate ${names.join(' ')}`,
    });
  }
  writeTrust(home, [certificate]);
  return { rotated: [], trusted: 1 };
}

function choose(all: readonly Identity[], { names, authority }: RotateOptions): readonly Identity[] {
  if (names === undefined || names.length === 0 || authority === true) return all;
  const unknown = names.filter((name) => !all.some((identity) => identity.name === name));
  if (unknown.length > 0) {
    throw new WardlineError('USAGE', `nobody has a certificate by the name of ${unknown.join(', ')}`, {
      hint: `the names are: ${all.map((identity) => identity.name).join(', ')}`,
    });
  }
  return all.filter((identity) => names.includes(identity.name));
}

/**
 * Whoever is trusted now stays trusted beside a new authority, the expired excepted. Taken from the bundle alone, so that
 * a new authority can be made where the files of the current one are damaged.
 */
function stillTrusted(home: Home, clock: Clock): readonly X509Certificate[] {
  return parseBundle(readIfPresent(authorityPaths(home).trust)).filter(
    (trusted) => trusted.validToDate.getTime() > clock.now(),
  );
}
