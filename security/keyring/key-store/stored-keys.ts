import type { JWK } from 'jose';

/**
 * The kinds of keys in a key store, told apart by their JWK members:
 *
 *     data KEK               oct, alg A256KW, a random kid; the newest first
 *     integrity master       oct, alg HS256, kid `integrity`
 *     dead-letter private    OKP X25519 with `d`, alg ECDH-ES, kid the day (`YYYY-MM-DD`)
 *     operator's public key  OKP Ed25519, kid `operator`: pinned where signed lists are read
 *     checkpoint key         OKP Ed25519 with `d`, kid `checkpoint`
 *     naming key             oct, alg HS256, kid `naming`
 */
const INTEGRITY_KID = 'integrity';
export const SIGNER_KID = 'operator';
export const DEAD_LETTER_CURVE = 'X25519';
export const DEAD_LETTER_ALGORITHM = 'ECDH-ES';

const CHECKPOINT_KID = 'checkpoint';
const NAMING_KID = 'naming';

const KEK_ALGORITHM = 'A256KW';
/** HMAC-SHA-256, of the integrity master and of the naming key alike. */
const MAC_ALGORITHM = 'HS256';

export function newDataKek(kid: string, secret: Uint8Array): JWK {
  return { kty: 'oct', use: 'enc', alg: KEK_ALGORITHM, kid, k: encoded(secret) };
}

export function newIntegrityMaster(secret: Uint8Array): JWK {
  return { kty: 'oct', use: 'sig', alg: MAC_ALGORITHM, kid: INTEGRITY_KID, k: encoded(secret) };
}

export function newNamingKey(secret: Uint8Array): JWK {
  return { kty: 'oct', use: 'sig', alg: MAC_ALGORITHM, kid: NAMING_KID, k: encoded(secret) };
}

export function newCheckpointKey({ x, d }: { readonly x: string; readonly d: string }): JWK {
  return { kty: 'OKP', crv: 'Ed25519', use: 'sig', kid: CHECKPOINT_KID, x, d };
}

export function checkpointKey(keys: readonly JWK[]): JWK | undefined {
  return keys.find((key) => key.kty === 'OKP' && key.kid === CHECKPOINT_KID && key.d !== undefined);
}

export function dataKeks(keys: readonly JWK[]): readonly JWK[] {
  return keys.filter((key) => key.alg === KEK_ALGORITHM && key.k !== undefined);
}

export function integrityMaster(keys: readonly JWK[]): JWK | undefined {
  return keys.find((key) => key.alg === MAC_ALGORITHM && key.kid === INTEGRITY_KID && key.k !== undefined);
}

export function namingKey(keys: readonly JWK[]): JWK | undefined {
  return keys.find((key) => key.alg === MAC_ALGORITHM && key.kid === NAMING_KID && key.k !== undefined);
}

export function isDeadLetterPrivateKey(key: JWK): boolean {
  return key.alg === DEAD_LETTER_ALGORITHM && key.d !== undefined;
}

export function deadLetterPrivateKey(keys: readonly JWK[], day: string): JWK | undefined {
  return keys.find((key) => isDeadLetterPrivateKey(key) && key.kid === day);
}

export function pinnedSigner(keys: readonly JWK[]): JWK | undefined {
  return keys.find((key) => key.kty === 'OKP' && key.crv === 'Ed25519' && key.kid === SIGNER_KID);
}

function encoded(secret: Uint8Array): string {
  return Buffer.from(secret).toString('base64url');
}
