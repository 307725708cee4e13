import type { X509Certificate } from 'node:crypto';
import { readIfPresent } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { readAuthority } from './authority.ts';
import { identities } from './identities.ts';
import { alternativeNames, parseCertificate } from './parse.ts';

/** One certificate of a home. */
export interface CertificateRow {
  /** `authority`, or a server's or principal's name. */
  readonly name: string;
  /** A `former authority` is still trusted until its rotation is finished or it expires. */
  readonly kind: 'authority' | 'former authority' | 'server' | 'principal';
  /** Hexadecimal. */
  readonly serial: string;
  /** RFC 3339. */
  readonly notAfter: string;
  /** Subject alternative names, such as `DNS:localhost`. */
  readonly names: readonly string[];
  /** SHA-256 over the certificate's DER form, as colon-separated hexadecimal. */
  readonly fingerprint: string;
}

/**
 * Every certificate in the home: authorities, servers, principals, in this order. A missing or unreadable one has no row;
 * `verifyCertificates` says so. Throws CERTIFICATE_INVALID where the authority's files contradict one another.
 */
export function listCertificates(home: Home): readonly CertificateRow[] {
  const authority = readAuthority(home);
  const current = authority?.certificate.fingerprint256;
  const authorities = (authority?.trusted ?? []).map((certificate) =>
    row('authority', certificate.fingerprint256 === current ? 'authority' : 'former authority', certificate),
  );
  const leaves = identities(home).flatMap((identity) => {
    const certificate = parseCertificate(readIfPresent(identity.certificate));
    return certificate === undefined ? [] : [row(identity.name, identity.kind, certificate)];
  });
  return [...authorities, ...leaves];
}

function row(name: string, kind: CertificateRow['kind'], certificate: X509Certificate): CertificateRow {
  return {
    name,
    kind,
    serial: certificate.serialNumber.toLowerCase(),
    notAfter: certificate.validToDate.toISOString(),
    names: alternativeNames(certificate),
    fingerprint: certificate.fingerprint256,
  };
}
