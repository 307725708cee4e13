import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { readAuthority, type Authority } from './authority.ts';
import { CERTIFICATE_CHECKS, CREDENTIAL_CHECKS } from './checks.ts';
import { authorityPaths, identities, type Identity } from './identities.ts';
import { looseModes } from './modes.ts';

/** The outcome of one named check on one holder. */
export interface VerificationRow {
  /** `authority`, or a server's or principal's name. */
  readonly name: string;
  readonly check: string;
  readonly passed: boolean;
  /** What is wrong; absent when it passed. */
  readonly detail?: string;
}

/**
 * Checks the authority, then each server and principal, by named checks in a fixed order. Never throws for what it finds:
 * every check has a row, and the certificates are sound when all of them passed.
 */
export function verifyCertificates(home: Home, clock: Clock): readonly VerificationRow[] {
  const now = clock.now();
  const authority = attempt(() => readAuthority(home));
  const found = authority instanceof WardlineError ? undefined : authority;
  const context = { trusted: found?.trusted ?? [], now };
  return [
    ...authorityRows(home, authority, now),
    ...identities(home).flatMap((identity) => [
      ...[...CERTIFICATE_CHECKS, ...CREDENTIAL_CHECKS].map((check) =>
        row(identity.name, check.name, check.fault(identity, context)),
      ),
      row(identity.name, 'file modes', looseModes(identity.folder, filesOf(identity))),
    ]),
  ];
}

function authorityRows(home: Home, authority: Authority | WardlineError | undefined, now: number): VerificationRow[] {
  const paths = authorityPaths(home);
  const modes = row('authority', 'file modes', looseModes(home.paths.authority, Object.values(paths)));
  if (authority instanceof WardlineError) return [row('authority', 'key matches', authority.message), modes];
  if (authority === undefined) return [row('authority', 'certificate present', 'there is no authority')];
  const { certificate } = authority;
  const expired = authority.trusted.filter((trusted) => trusted.validToDate.getTime() <= now);
  return [
    row('authority', 'certificate present', undefined),
    row('authority', 'key matches', undefined),
    row(
      'authority',
      'signed by itself',
      certificate.ca && certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
        ? undefined
        : 'it is not a self-signed authority',
    ),
    row(
      'authority',
      'within its time',
      expired.length === 0
        ? undefined
        : `expired: ${expired.map((each) => each.subject.replaceAll('\n', ', ')).join('; ')}`,
    ),
    modes,
  ];
}

function filesOf(identity: Identity): readonly string[] {
  const { certificate, key, bundle, signing, secrets } = identity;
  return [certificate, key, bundle, signing?.key, signing?.public, ...secrets].filter((path) => path !== undefined);
}

function row(name: string, check: string, fault: string | undefined): VerificationRow {
  return fault === undefined ? { name, check, passed: true } : { name, check, passed: false, detail: fault };
}

function attempt<T>(work: () => T): T | WardlineError {
  try {
    return work();
  } catch (error) {
    if (error instanceof WardlineError) return error;
    throw error;
  }
}
