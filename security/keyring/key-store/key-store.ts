import { createPrivateKey, hkdfSync, type KeyObject } from 'node:crypto';
import { base64url, type JWK } from 'jose';
import type { PrincipalAccess } from '../../../core/connection.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { lengthPrefixed } from '../../../core/encoding/length-prefixed.ts';
import type { DataKey } from '../data-key.ts';
import { readDeadLetterPublicKeys } from '../dead-letter-keys.ts';
import { readKeyStoreFile } from './key-store-file.ts';
import {
  checkpointKey,
  dataKeks,
  deadLetterPrivateKey,
  integrityMaster,
  namingKey,
  pinnedSigner,
} from './stored-keys.ts';
import { kekOfWrappedKey, unwrapDataKey, wrapDataKey, type Kek, type KeyIdentity } from '../wrapped-key.ts';

/**
 * What one principal can do with the keys that it holds. A key-management service can stand behind it: no key-encryption
 * key is ever handed out. Every method throws KEY_NOT_FOUND where this principal does not hold the key that it needs.
 */
export interface KeyStore {
  /** Wraps a DEK under the newest data KEK. */
  wrapDek(dataKey: DataKey): Promise<string>;
  /** Unwraps a DEK and checks that it is the expected one: KEY_MISMATCH where not. */
  unwrapDek(wrapped: string, expected: KeyIdentity): Promise<DataKey>;
  /** The 32-byte integrity key of a contract: HKDF-SHA-256 (RFC 5869) of the installation's master. */
  integrityKey(contractId: string): Buffer;
  /**
   * The key to which a day's (`YYYY-MM-DD`, UTC) dead letters of no known subject are sealed. KEY_NOT_YET_PUBLISHED,
   * which is worth a wait, where none is published: a later call finds one that was published meanwhile.
   */
  deadLetterPublicKey(day: string): Promise<JWK>;
  /** The key that opens them; gone once the dead letters' retention is over. */
  deadLetterPrivateKey(day: string): JWK;
  /** The Ed25519 private key that signs checkpoints of the audit log. */
  checkpointKey(): KeyObject;
  /** The 32-byte key under which the contents of backups get their names. */
  namingKey(): Buffer;
}

/** Opens a principal's key store. Takes about a tenth of a second. Throws KEY_STORE_UNREADABLE. */
export async function openKeyStore(access: PrincipalAccess): Promise<KeyStore> {
  const keys = await readKeyStoreFile(access);
  const keks = await Promise.all(dataKeks(keys).map(importKek));
  const signer = pinnedSigner(keys);
  let publicKeys: ReadonlyMap<string, JWK> = new Map();

  return {
    async wrapDek(dataKey) {
      return wrapDataKey(dataKey, keks[0] ?? notHeld(access, 'data KEK'));
    },
    async unwrapDek(wrapped, expected) {
      const kid = kekOfWrappedKey(wrapped);
      return unwrapDataKey(
        wrapped,
        keks.find((kek) => kek.kid === kid) ?? notHeld(access, `data KEK ${kid}`),
        expected,
      );
    },
    integrityKey(contractId) {
      const master = integrityMaster(keys) ?? notHeld(access, 'integrity key');
      return Buffer.from(hkdfSync('sha256', secretOf(master), '', integrityInfo(contractId), INTEGRITY_KEY_BYTES));
    },
    async deadLetterPublicKey(day) {
      // Read again on a miss only: more days are added to the file while processes run.
      if (!publicKeys.has(day)) {
        publicKeys = await readDeadLetterPublicKeys(access, signer ?? notHeld(access, "operator's verification key"));
      }
      const publicKey = publicKeys.get(day);
      if (publicKey !== undefined) return publicKey;
      throw new WardlineError('KEY_NOT_YET_PUBLISHED', `no dead-letter key is published for ${day}`, {
        hint: 'make those of the days ahead with: wardline certs mint',
      });
    },
    checkpointKey() {
      const key = checkpointKey(keys) ?? notHeld(access, 'checkpoint key');
      return createPrivateKey({ key: { ...key }, format: 'jwk' });
    },
    namingKey() {
      return Buffer.from(secretOf(namingKey(keys) ?? notHeld(access, 'naming key')));
    },
    deadLetterPrivateKey(day) {
      return deadLetterPrivateKey(keys, day) ?? notHeld(access, `dead-letter private key of ${day}`);
    },
  };
}

const INTEGRITY_KEY_BYTES = 32;

function integrityInfo(contractId: string): Buffer {
  return lengthPrefixed(['wardline integrity key', contractId]);
}

async function importKek(jwk: JWK): Promise<Kek> {
  const key = await crypto.subtle.importKey('raw', secretOf(jwk), 'AES-KW', false, ['wrapKey', 'unwrapKey']);
  return { kid: jwk.kid ?? '', key };
}

function secretOf(jwk: JWK): Uint8Array<ArrayBuffer> {
  return new Uint8Array(base64url.decode(jwk.k ?? ''));
}

function notHeld(access: PrincipalAccess, what: string): never {
  throw new WardlineError('KEY_NOT_FOUND', `${access.username} does not hold the ${what}`, {
    hint: 'act as a principal that holds it',
  });
}
