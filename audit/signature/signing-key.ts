import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto';
import { WardlineError } from '../../core/errors/errors.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';

/** A principal's Ed25519 key with the name under which its signatures are found: `<principal>/<RFC 7638 thumbprint>`. */
export interface SigningKey {
  readonly principal: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** A key that signatures are checked with, and the only principal that it may speak for. */
export interface TrustedKey {
  readonly principal: string;
  readonly publicKey: KeyObject;
}

/** Public keys by `kid`. A principal whose key was rotated has several: old events stay verifiable. */
export type TrustedKeys = ReadonlyMap<string, TrustedKey>;

/** Reads a PKCS #8 PEM private key. Throws CREDENTIAL_MISSING where it is not an Ed25519 key; the key is never repeated. */
export function signingKey(principal: string, privateKeyPem: string): SigningKey {
  const privateKey = ed25519(() => createPrivateKey(privateKeyPem), principal);
  return { principal, kid: keyId(principal, createPublicKey(privateKey)), privateKey };
}

/** Collects SPKI PEM public keys of principals. Throws CREDENTIAL_MISSING where one is not an Ed25519 key. */
export function trustedKeys(keys: readonly { principal: string; publicKeyPem: string }[]): TrustedKeys {
  return new Map(
    keys.map(({ principal, publicKeyPem }) => {
      const publicKey = ed25519(() => createPublicKey(publicKeyPem), principal);
      return [keyId(principal, publicKey), { principal, publicKey }];
    }),
  );
}

function keyId(principal: string, publicKey: KeyObject): string {
  return `${principal}/${thumbprint(publicKey)}`;
}

/** The JWK thumbprint of an Ed25519 public key: base64url SHA-256 over its required members (RFC 7638, RFC 8037 appendix A.3). */
export function thumbprint(publicKey: KeyObject): string {
  const { crv = '', kty = '', x = '' } = publicKey.export({ format: 'jwk' });
  return hash('sha256', canonicalJson({ crv, kty, x }), 'base64url');
}

function ed25519(read: () => KeyObject, principal: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read();
  } catch {
    // Node's message may quote the file's content, so it is not passed on.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new WardlineError('CREDENTIAL_MISSING', `the signing key of ${principal} is not an Ed25519 key in PEM`, {
    hint: 'make it with: wardline certs mint',
  });
}
