import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
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
  const certificate = blank(forge.pki.publicKeyFromPem(pair.publicKey), pair.publicKey, now, AUTHORITY_LIFETIME);
  // A serial number in the name tells two authorities of one installation apart during a rotation.
  const name = subject(`Wardline authority ${install} ${certificate.serialNumber.slice(0, 8)}`);
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, pair.publicKey, pair.privateKey);
}

/** A certificate for one server or principal, signed by the issuer. PEM. */
export function issueLeaf(pair: KeyPairPem, identity: Identity, issuer: Issuer, now: number): string {
  const authority = forge.pki.certificateFromPem(issuer.certificate);
  const certificate = blank(authority.publicKey, pair.publicKey, now, LEAF_LIFETIME);
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
  return signed(certificate, pair.publicKey, issuer.privateKey);
}

/**
 * node-forge knows RSA keys alone, so that it gets `standIn`, which `signed` replaces by `publicKey`; the key's identifier
 * is computed here (RFC 5280 section 4.2.1.2, the first method).
 */
function blank(standIn: forge.pki.PublicKey, publicKey: string, now: number, lifetime: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = standIn;
  certificate.generateSubjectKeyIdentifier = () => forge.util.createBuffer(keyIdentifier(publicKey));
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

/** SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) of a PEM key. */
function publicKeyInfo(publicKey: string): forge.asn1.Asn1 {
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  return forge.asn1.fromDer(der.toString('latin1'));
}

/** SHA-1 over the bits of the public key: of RSA the PKCS #1 form, of a curve the point, uncompressed (SEC 1 section 2.3.3). */
function keyIdentifier(publicKey: string): string {
  const key = createPublicKey(publicKey);
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const bits =
    key.asymmetricKeyType === 'rsa'
      ? key.export({ type: 'pkcs1', format: 'der' })
      : Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return createHash('sha1').update(bits).digest().toString('latin1');
}

/** Where the public key stands among what is signed: the seventh field of a TBSCertificate (RFC 5280 section 4.1). */
const PUBLIC_KEY_FIELD = 6;

/**
 * Signs with node:crypto instead of node-forge's own RSA: constant time, and a private key never becomes JavaScript numbers.
 * node-forge lays out the certificate and asks its `key` for the signature.
 */
function signed(certificate: forge.pki.Certificate, publicKey: string, privateKey: string): string {
  const signer = {
    sign: () => {
      const { tbsCertificate } = certificate;
      (tbsCertificate.value as forge.asn1.Asn1[])[PUBLIC_KEY_FIELD] = publicKeyInfo(publicKey);
      const bytes = Buffer.from(forge.asn1.toDer(tbsCertificate).getBytes(), 'latin1');
      return sign('sha384', bytes, privateKey).toString('latin1');
    },
  };
  certificate.sign(signer as unknown as forge.pki.rsa.PrivateKey, forge.md.sha384.create());
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}
