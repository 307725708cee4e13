import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

const RSA_BITS = 3072;

export interface KeyPairPem {
  /** PKCS#8. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: string;
}

const generate = promisify(generateKeyPair);
const PUBLIC_FORM = { type: 'spki', format: 'pem' } as const;
const PRIVATE_FORM = { type: 'pkcs8', format: 'pem' } as const;

/** An RSA key pair for a certificate. Runs on the thread pool, so several are made at the same time. */
export function generateTlsKeyPair(): Promise<KeyPairPem> {
  return generate('rsa', {
    modulusLength: RSA_BITS,
    publicKeyEncoding: PUBLIC_FORM,
    privateKeyEncoding: PRIVATE_FORM,
  });
}

/** An Ed25519 key pair (RFC 8032) for signing events and manifests. */
export function generateSigningKeyPair(): Promise<KeyPairPem> {
  return generate('ed25519', { publicKeyEncoding: PUBLIC_FORM, privateKeyEncoding: PRIVATE_FORM });
}
