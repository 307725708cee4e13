import { compactDecrypt, CompactEncrypt, type JWK } from 'jose';
import type { PrincipalAccess } from '../../../core/connection.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { readIfPresent, writeFileAtomic } from '../../../core/files.ts';

/**
 * Rounds of PBKDF2 with SHA-512, as OWASP recommends for passphrases that people choose. Ours are 256 random bits and
 * need none; the rounds are for whoever sets one of their own. About a tenth of a second.
 */
export const PBES2_ROUNDS = 210_000;
/** A store that asks for more rounds than this is refused: it would only burn time. */
const MOST_PBES2_ROUNDS = 2_000_000;
const KEY_MANAGEMENT = 'PBES2-HS512+A256KW';
const ENCRYPTION = 'A256GCM';
const CONTENT_TYPE = 'jwk-set+json';

type Files = Pick<PrincipalAccess, 'keyStore' | 'keyStorePassphrase'>;

/**
 * Reads a key store: a JWK set encrypted under a passphrase (RFC 7517 section 7, PBES2 of RFC 7518 section 4.8).
 * Throws KEY_STORE_UNREADABLE where store or passphrase is absent, damaged, or does not fit the other.
 */
export async function readKeyStoreFile(files: Files): Promise<readonly JWK[]> {
  const store = contentOf(files.keyStore);
  const passphrase = contentOf(files.keyStorePassphrase);
  let plaintext: Uint8Array;
  try {
    const opened = await compactDecrypt(store, new TextEncoder().encode(passphrase), {
      keyManagementAlgorithms: [KEY_MANAGEMENT],
      contentEncryptionAlgorithms: [ENCRYPTION],
      maxPBES2Count: MOST_PBES2_ROUNDS,
    });
    plaintext = opened.plaintext;
  } catch (cause) {
    throw unreadable(`${files.keyStore} does not open with the passphrase beside it`, cause);
  }
  return keysOf(plaintext, files.keyStore);
}

/** Writes a key store, atomically and with mode 0600. The passphrase file must be there. */
export async function writeKeyStoreFile(files: Files, keys: readonly JWK[]): Promise<void> {
  const passphrase = contentOf(files.keyStorePassphrase);
  const store = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify({ keys })))
    .setProtectedHeader({ alg: KEY_MANAGEMENT, enc: ENCRYPTION, cty: CONTENT_TYPE })
    .setKeyManagementParameters({ p2c: PBES2_ROUNDS })
    .encrypt(new TextEncoder().encode(passphrase));
  writeFileAtomic(files.keyStore, `${store}\n`);
}

function contentOf(path: string): string {
  let content: string | undefined;
  let cause: unknown;
  try {
    content = readIfPresent(path)?.trim();
  } catch (error) {
    cause = error;
  }
  if (content !== undefined && content !== '') return content;
  throw unreadable(`${path} is missing, empty or not readable`, cause);
}

/** Neither a cause nor any of the content is kept in the error: the content is keys. */
function keysOf(plaintext: Uint8Array, path: string): readonly JWK[] {
  try {
    const set: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
    if (typeof set === 'object' && set !== null && 'keys' in set && Array.isArray(set.keys)) {
      return set.keys as readonly JWK[];
    }
  } catch {
    // Reported below, as for JSON of another shape.
  }
  throw unreadable(`${path} opens, but it does not hold a JWK set`);
}

function unreadable(message: string, cause?: unknown): WardlineError {
  return new WardlineError('KEY_STORE_UNREADABLE', message, {
    hint: 'restore store and passphrase together from a copy; a new home gets new ones with: wardline certs mint',
    cause,
  });
}
