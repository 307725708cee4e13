import { createCipheriv, createSecretKey } from 'node:crypto';
import { compactDecrypt, CompactEncrypt, type CompactDecryptResult, type JWK } from 'jose';
import { WardlineError } from '../../core/errors/errors.ts';
import type { DataKey, KeyPlace } from '../keyring/data-key.ts';
import { placeContext, textOfContext } from './context.ts';
import type { Random } from './seal.ts';
import { encodedHeaderStart, IV_BYTES } from './layout.ts';
import { checkContext, checkKey, checkKeyPlace, decrypt } from './open.ts';
import { decodeBase64url, MAX_SEALED_LENGTH, parseSealed } from './parse.ts';
import { alteredError, checkNotWiped, malformed, misplacedError, wrongKeyError } from './refusal.ts';

/**
 * The texts that a dead letter is bound to, the same at sealing and at opening: what its headers say in clear, such as
 * contract, topic, position and reason code. A dead letter whose headers were changed does not open.
 */
export type Place = readonly string[];

/**
 * Seals a whole record whose subject is known, under the subject's DEK of class `restricted`: a JWE compact of the form
 * of a sealed field, not padded. Throws KEY_MISMATCH for a key of another class, KEY_DESTROYED for one that was wiped.
 */
export function sealForSubject(dataKey: DataKey, payload: Uint8Array, place: Place, random: Random): string {
  checkNotWiped(dataKey);
  checkKeyPlace(dataKey, { ...dataKey, classification: 'restricted' });
  const header = encodedHeaderStart(dataKey.kid) + placeContext(place);
  const iv = random(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(dataKey.key), iv);
  cipher.setAAD(Buffer.from(header, 'ascii'));
  const ciphertext = Buffer.concat([cipher.update(payload), cipher.final()]);
  return `${header}..${[iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url')).join('.')}`;
}

/** Opens what `sealForSubject` sealed, with the checks of a sealed field in the same order, and their errors. */
export function openForSubject(text: string, dataKey: DataKey, expected: KeyPlace, place: Place): Buffer {
  const parts = parseSealed(text);
  checkKey(parts.header, dataKey);
  checkKeyPlace(dataKey, expected);
  checkContext(parts.header, placeContext(place));
  return decrypt(parts, dataKey);
}

const AGREEMENT = 'ECDH-ES';
const ENCRYPTION = 'A256GCM';

/**
 * Seals a whole record whose subject is not known, to the public key of a day: JWE compact, ECDH-ES and A256GCM
 * (RFC 7518 section 4.6). Whoever seals cannot open; only the holder of that day's private key can.
 * `publicKey.kid` names the day.
 */
export function sealForDay(publicKey: JWK, payload: Uint8Array, place: Place): Promise<string> {
  const ctx = textOfContext(placeContext(place));
  return new CompactEncrypt(payload)
    .setProtectedHeader({ alg: AGREEMENT, enc: ENCRYPTION, kid: dayOf(publicKey), ctx })
    .encrypt(publicKey);
}

/** The day whose key a dead letter was sealed to, read from its header; nothing is checked but the form. */
export function dayOfDeadLetter(text: string): string {
  return parseDayHeader(text).kid;
}

/**
 * Opens what `sealForDay` sealed. The checks, in order: form (SEALED_FIELD_MALFORMED), day (KEY_MISMATCH),
 * place (SEALED_FIELD_MISPLACED), tag (SEALED_FIELD_ALTERED).
 */
export async function openForDay(text: string, privateKey: JWK, place: Place): Promise<Buffer> {
  const header = parseDayHeader(text);
  if (header.kid !== dayOf(privateKey)) throw wrongKeyError(header.kid, dayOf(privateKey));
  if (header.ctx !== textOfContext(placeContext(place))) throw misplacedError();
  let opened: CompactDecryptResult;
  try {
    opened = await compactDecrypt(text, privateKey, {
      keyManagementAlgorithms: [AGREEMENT],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
  } catch (cause) {
    throw alteredError(cause);
  }
  return Buffer.from(opened.plaintext);
}

function dayOf(key: JWK): string {
  if (key.kid !== undefined) return key.kid;
  throw new WardlineError('KEY_MISMATCH', 'a dead-letter key names its day, and this one does not');
}

/** Strict as a sealed field's parser: one spelling only, and no member that is not expected. */
function parseDayHeader(text: string): { readonly kid: string; readonly ctx: string } {
  if (text.length > MAX_SEALED_LENGTH) throw malformed('it is longer than a sealed value can be');
  const parts = text.split('.');
  if (parts.length !== 5) throw malformed('it does not have five parts');
  const [header = Buffer.alloc(0), encryptedKey] = parts.map((part, index) =>
    decodeBase64url(part, PART_NAMES[index] ?? 'end'),
  );
  if (encryptedKey?.length !== 0) throw malformed('it carries an encrypted key, which "ECDH-ES" does not have');
  let members: Partial<Record<string, unknown>>;
  try {
    members = JSON.parse(header.toString('utf8')) as Partial<Record<string, unknown>>;
  } catch {
    throw malformed('its header is not JSON');
  }
  const { alg, enc, kid, ctx } = members;
  const names = Object.keys(members).sort().join();
  if (
    alg !== AGREEMENT ||
    enc !== ENCRYPTION ||
    typeof kid !== 'string' ||
    typeof ctx !== 'string' ||
    names !== DAY_HEADER
  ) {
    throw malformed('its header is not exactly alg "ECDH-ES", enc "A256GCM", epk, a kid and a ctx');
  }
  return { kid, ctx };
}

const DAY_HEADER = 'alg,ctx,enc,epk,kid';
const PART_NAMES = ['header', 'encrypted key', 'initialization vector', 'ciphertext', 'tag'];
