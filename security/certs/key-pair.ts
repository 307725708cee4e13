import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const AUTHORITY_BITS = 3072;
/** A server signs once for each connection: with RSA of this strength a JVM that has just started takes five times as long. */
const CURVE = 'P-256';

export interface KeyPairPem {
  /** PKCS#8. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: string;
}

const generate = promisify(generateKeyPair);
const PUBLIC_FORM = { type: 'spki', format: 'pem' } as const;
const PRIVATE_FORM = { type: 'pkcs8', format: 'pem' } as const;

/** An RSA key pair for an authority, which node-forge can sign with. Runs on the thread pool. */
export function generateAuthorityKeyPair(): Promise<KeyPairPem> {
  return generate('rsa', {
    modulusLength: AUTHORITY_BITS,
    publicKeyEncoding: PUBLIC_FORM,
    privateKeyEncoding: PRIVATE_FORM,
  });
}

/** An ECDSA key pair (FIPS 186-5) for the certificate of a server or principal. */
export function generateTlsKeyPair(): Promise<KeyPairPem> {
  return generate('ec', { namedCurve: CURVE, publicKeyEncoding: PUBLIC_FORM, privateKeyEncoding: PRIVATE_FORM });
}

/** An Ed25519 key pair (RFC 8032) for signing events and manifests. */
export function generateSigningKeyPair(): Promise<KeyPairPem> {
  return generate('ed25519', { publicKeyEncoding: PUBLIC_FORM, privateKeyEncoding: PRIVATE_FORM });
}
