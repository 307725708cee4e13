import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { readIfPresent } from '../../core/files.ts';
import type { Identity } from './identities.ts';
import { alternativeNames, isPair, matchesKey, parseCertificate } from './parse.ts';

/** What an identity's files are checked against. */
interface CheckContext {
  readonly trusted: readonly X509Certificate[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A named check: undefined when it passes, else what is wrong. */
export interface Check {
  readonly name: string;
  readonly fault: (identity: Identity, context: CheckContext) => string | undefined;
}

/** Object identifiers of RFC 5280 section 4.2.1.12. */
const USAGE_OID = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

type CertificateFault = (certificate: X509Certificate, identity: Identity, context: CheckContext) => string | undefined;

function ofCertificate(name: string, fault: CertificateFault): Check {
  return {
    name,
    fault: (identity, context) => {
      const certificate = parseCertificate(readIfPresent(identity.certificate));
      return certificate === undefined ? 'there is no readable certificate' : fault(certificate, identity, context);
    },
  };
}

/** What makes a certificate usable, in the order in which it is asked. Minting makes anew whatever fails one of these. */
export const CERTIFICATE_CHECKS: readonly Check[] = [
  ofCertificate('certificate present', () => undefined),
  ofCertificate('key matches', (certificate, identity) => {
    const key = readIfPresent(identity.key);
    return key !== undefined && matchesKey(certificate, key) ? undefined : 'the private key is missing or another one';
  }),
  ofCertificate('issued by a trusted authority', (certificate, _identity, { trusted }) =>
    trusted.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
      ? undefined
      : 'no trusted authority signed it',
  ),
  ofCertificate('within its time', (certificate, _identity, { now }) => {
    if (certificate.validFromDate.getTime() > now) return `not valid before ${certificate.validFromDate.toISOString()}`;
    return certificate.validToDate.getTime() > now ? undefined : `expired on ${certificate.validToDate.toISOString()}`;
  }),
  ofCertificate('names', (certificate, identity) => {
    const missing = [
      ...identity.hosts.filter((host) => !namesHost(certificate, host)),
      ...(alternativeNames(certificate).includes(`URI:${identity.uri}`) ? [] : [identity.uri]),
    ];
    return missing.length === 0 ? undefined : `it does not name ${missing.join(', ')}`;
  }),
  ofCertificate('usages', (certificate, identity) => {
    const found = [...extendedKeyUsages(certificate)].sort();
    const wanted: string[] = identity.usages.map((usage) => USAGE_OID[usage]).sort();
    return !certificate.ca && found.join() === wanted.join()
      ? undefined
      : `it is not for ${identity.usages.join(' and ')} alone`;
  }),
  {
    name: 'bundle agrees',
    fault: (identity) =>
      identity.bundle === undefined || readIfPresent(identity.bundle) === bundleText(identity)
        ? undefined
        : 'the file with key and certificate is not made of the two',
  },
];

/** Checks of what stands beside the certificate. */
export const CREDENTIAL_CHECKS: readonly Check[] = [
  {
    name: 'signing key pair',
    fault: ({ signing }) =>
      signing === undefined || isPair(readIfPresent(signing.key), readIfPresent(signing.public))
        ? undefined
        : 'the signing key and its public half are missing or do not belong together',
  },
  {
    name: 'passwords present',
    fault: ({ secrets }) =>
      secrets.every((secret) => (readIfPresent(secret) ?? '').length >= SHORTEST_PASSWORD)
        ? undefined
        : 'a password is missing or too short',
  },
];

/** 32 random bytes are 43 characters in base64url; a shorter text was not made here. */
const SHORTEST_PASSWORD = 43;

/** What the file with key and certificate must hold. */
export function bundleText(identity: Identity): string {
  return `${readIfPresent(identity.key) ?? ''}${readIfPresent(identity.certificate) ?? ''}`;
}

/** node:crypto calls the extended usages `keyUsage`, and gives undefined (which its types leave out) where there are none. */
function extendedKeyUsages(certificate: { readonly keyUsage?: readonly string[] }): readonly string[] {
  return certificate.keyUsage ?? [];
}

function namesHost(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}
