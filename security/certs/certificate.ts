import { randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';
import type { Identity } from './identities.ts';
import type { KeyPairPem } from './key-pair.ts';

const DAY = 24 * 60 * 60 * 1000;
export const AUTHORITY_LIFETIME = 3650 * DAY;
export const LEAF_LIFETIME = 365 * DAY;
/** A certificate is valid a little before it was made, for peers whose clock is behind. */
const CLOCK_SKEW = 5 * 60 * 1000;

/** An authority that can sign: its certificate and its private key, both PEM. */
export interface Issuer {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A self-signed certificate of a new authority (RFC 5280 section 4.2.1.9: it signs end entities only). PEM. */
export function issueAuthority(pair: KeyPairPem, install: string, now: number): string {
  const certificate = blank(pair.publicKey, now, AUTHORITY_LIFETIME);
  // A serial number in the name tells two authorities of one installation apart during a rotation.
  const name = subject(`Wardline authority ${install} ${certificate.serialNumber.slice(0, 8)}`);
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, pair.privateKey);
}

/** A certificate for one server or principal, signed by the issuer. PEM. */
export function issueLeaf(pair: KeyPairPem, identity: Identity, issuer: Issuer, now: number): string {
  const authority = forge.pki.certificateFromPem(issuer.certificate);
  const certificate = blank(pair.publicKey, now, LEAF_LIFETIME);
  // A leaf that outlives its authority would be refused long before its own date says so.
  if (certificate.validity.notAfter > authority.validity.notAfter)
    certificate.validity.notAfter = authority.validity.notAfter;
  certificate.setSubject(subject(identity.name));
  certificate.setIssuer(authority.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true },
    { name: 'extKeyUsage', ...Object.fromEntries(identity.usages.map((usage) => [usage, true])) },
    { name: 'subjectAltName', altNames: alternativeNames(identity) },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: authority.generateSubjectKeyIdentifier().getBytes() },
  ]);
  return signed(certificate, issuer.privateKey);
}

function blank(publicKey: string, now: number, lifetime: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(now - CLOCK_SKEW);
  certificate.validity.notAfter = new Date(now + lifetime);
  return certificate;
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets; here 16 random ones with the sign bit off and the next one on. */
function serialNumber(): string {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  return serial.toString('hex');
}

function subject(commonName: string): forge.pki.CertificateField[] {
  return [
    { name: 'organizationName', value: 'Wardline' },
    { name: 'commonName', value: commonName },
  ];
}

/** GeneralName choices of RFC 5280 section 4.2.1.6. */
const GENERAL_NAME = { dns: 2, uri: 6, ip: 7 } as const;

function alternativeNames(identity: Identity): object[] {
  return [
    ...identity.hosts.map((host) =>
      isIP(host) === 0 ? { type: GENERAL_NAME.dns, value: host } : { type: GENERAL_NAME.ip, ip: host },
    ),
    { type: GENERAL_NAME.uri, value: identity.uri },
  ];
}

/**
 * Signs with node:crypto instead of node-forge's own RSA: constant time, and a private key never becomes JavaScript numbers.
 * node-forge lays out the certificate and asks its `key` for the signature.
 */
function signed(certificate: forge.pki.Certificate, privateKey: string): string {
  const signer = {
    sign: () =>
      sign(
        'sha384',
        Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), 'latin1'),
        privateKey,
      ).toString('latin1'),
  };
  certificate.sign(signer as unknown as forge.pki.rsa.PrivateKey, forge.md.sha384.create());
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}
