import {
  compactDecrypt,
  CompactEncrypt,
  decodeProtectedHeader,
  type CompactDecryptResult,
  type CompactJWEHeaderParameters,
  type CryptoKey,
} from 'jose';
import { WardlineError } from '../../core/errors/errors.ts';
import { DATA_KEY_BYTES, keyMemory, type DataKey, type KeyPlace } from './data-key.ts';

/** A key-encryption key, imported once. */
export interface Kek {
  readonly kid: string;
  readonly key: CryptoKey;
}

/** Which DEK a wrapped key must be. */
export interface KeyIdentity extends KeyPlace {
  readonly kid: string;
  readonly generation: number;
}

/**
 * Wraps a DEK under a KEK: a JWE in compact form, A256KW and A256GCM (RFC 7518 sections 4.4 and 5.3), whose payload is
 * the DEK and whose protected header says what it is for. The header is authenticated: a wrapped key that is moved to
 * another subject, class, contract or generation does not unwrap there.
 */
export async function wrapDataKey(dataKey: DataKey, kek: Kek): Promise<string> {
  // A copy: what threads share the library does not take.
  const payload = new Uint8Array(dataKey.key);
  try {
    return await new CompactEncrypt(payload).setProtectedHeader(headerOf(dataKey, kek)).encrypt(kek.key);
  } finally {
    payload.fill(0);
  }
}

/** The `kid` of the KEK that a wrapped key needs. Throws KEY_MISMATCH for what is no wrapped key. */
export function kekOfWrappedKey(wrapped: string): string {
  try {
    const { kid } = decodeProtectedHeader(wrapped);
    if (kid !== undefined) return kid;
  } catch {
    // Reported below, as for a header without a kid.
  }
  throw mismatch('it is no wrapped key');
}

/**
 * Unwraps a DEK. The checks, each failing with KEY_MISMATCH, in order: canonical form; the tag, over key and header;
 * then kid, contract, subject, class and generation; then the key's length.
 */
export async function unwrapDataKey(wrapped: string, kek: Kek, expected: KeyIdentity): Promise<DataKey> {
  if (!wrapped.split('.').every(isCanonical)) throw mismatch('its text is not canonical base64url');
  const { plaintext, protectedHeader } = await decrypted(wrapped, kek);
  try {
    for (const [member, value] of membersOf(expected)) {
      if (protectedHeader[member] !== value) throw mismatch(`it was made for another ${member}`);
    }
    const createdAt = protectedHeader['created'];
    if (typeof createdAt !== 'number') throw mismatch('it does not say when it was made');
    if (plaintext.length !== DATA_KEY_BYTES) throw mismatch('it does not hold a key of 256 bits');
    const { contract, subject, classification, kid, generation } = expected;
    return { contract, subject, classification, kid, generation, createdAt, key: keyMemory(plaintext) };
  } finally {
    plaintext.fill(0);
  }
}

const KEY_WRAP = 'A256KW';
const ENCRYPTION = 'A256GCM';

function headerOf(dataKey: DataKey, kek: Kek): CompactJWEHeaderParameters {
  const members = Object.fromEntries(membersOf(dataKey));
  return { alg: KEY_WRAP, enc: ENCRYPTION, kid: kek.kid, ...members, created: dataKey.createdAt };
}

/** What a wrapped key is bound to, as members of its header. */
function membersOf(expected: KeyIdentity): readonly (readonly [string, string | number])[] {
  return [
    ['dek', expected.kid],
    ['contract', expected.contract],
    ['subject', expected.subject],
    ['class', expected.classification],
    ['generation', expected.generation],
  ];
}

async function decrypted(wrapped: string, kek: Kek): Promise<CompactDecryptResult> {
  try {
    return await compactDecrypt(wrapped, kek.key, {
      keyManagementAlgorithms: [KEY_WRAP],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
  } catch (cause) {
    throw mismatch('it was altered, or wrapped under another key', cause);
  }
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function mismatch(reason: string, cause?: unknown): WardlineError {
  return new WardlineError('KEY_MISMATCH', `the wrapped key is not the one that belongs here: ${reason}`, {
    hint: 'a row of the keys table was changed or moved: compare it with a backup, and see: wardline keys check',
    cause,
  });
}
