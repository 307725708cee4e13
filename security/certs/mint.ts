import { createPublicKey, randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { asIssuer, ensureAuthority } from './authority.ts';
import { issueLeaf, type Issuer } from './certificate.ts';
import { bundleText, CERTIFICATE_CHECKS } from './checks.ts';
import { identities, type Identity } from './identities.ts';
import { generateSigningKeyPair, generateTlsKeyPair } from './key-pair.ts';
import { isPair } from './parse.ts';

const PASSWORD_BYTES = 32;

export interface MintResult {
  /** Names whose certificate was made now; the others stood already. */
  readonly made: readonly string[];
}

/**
 * Gives the home its authority, and each server and principal a certificate, a signing key and passwords.
 * What stands and is usable is left alone; what is missing, half-written, expired or of another authority is made again.
 * Files are 0600, folders 0700. One process at a time: the caller holds the home's lock.
 * Throws CERTIFICATE_INVALID where the authority is damaged or expired, CREDENTIAL_MISSING where its key is needed and gone.
 */
export async function mintCertificates(home: Home, clock: Clock): Promise<MintResult> {
  const authority = await ensureAuthority(home, clock);
  const context = { trusted: authority.trusted, now: clock.now() };
  const all = identities(home);
  for (const identity of all) makeSecretFolder(identity.folder);
  const wanting = all.filter((identity) =>
    CERTIFICATE_CHECKS.some((check) => check.fault(identity, context) !== undefined),
  );
  await Promise.all([
    ...wanting.map((identity) => renewCertificate(identity, asIssuer(authority), clock)),
    ...all.map(ensureCredentials),
  ]);
  return { made: wanting.map((identity) => identity.name) };
}

/** Makes a new key and certificate for one identity. The key is written first: a certificate without its key is made again. */
export async function renewCertificate(identity: Identity, issuer: Issuer, clock: Clock): Promise<void> {
  const pair = await generateTlsKeyPair();
  const certificate = issueLeaf(pair, identity, issuer, clock.now());
  writeFileAtomic(identity.key, pair.privateKey);
  writeFileAtomic(identity.certificate, certificate);
  if (identity.bundle !== undefined) writeFileAtomic(identity.bundle, bundleText(identity));
}

/**
 * Signing key and passwords outlive certificates: they are made once, and only where they are missing.
 * A signing key that stands is never replaced, since what it signed must stay verifiable; its public half is derived again.
 */
async function ensureCredentials(identity: Identity): Promise<void> {
  const { signing, secrets } = identity;
  for (const secret of secrets.filter((path) => (readIfPresent(path) ?? '') === ''))
    writeFileAtomic(secret, randomBytes(PASSWORD_BYTES).toString('base64url'));
  if (signing === undefined) return;
  const privateKey = readIfPresent(signing.key);
  if (isPair(privateKey, readIfPresent(signing.public))) return;
  if (privateKey === undefined) {
    const pair = await generateSigningKeyPair();
    writeFileAtomic(signing.key, pair.privateKey);
    writeFileAtomic(signing.public, pair.publicKey);
    return;
  }
  writeFileAtomic(signing.public, publicHalf(privateKey, signing.key));
}

function publicHalf(privateKey: string, path: string): string {
  try {
    return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  } catch (cause) {
    throw new WardlineError('CERTIFICATE_INVALID', `${path} is damaged: it is no private key`, {
      hint: 'restore it from a copy; what it signed can be verified with its public half all the same',
      cause,
    });
  }
}
