import { KID_PATTERN } from '../keyring/data-key.ts';
import { CONTEXT_LENGTH, IV_BYTES, PADDING_BYTES, TAG_BYTES } from './layout.ts';
import { malformed } from './refusal.ts';

/** Longest text accepted as a sealed field, in characters: twice the input limit of a row. */
export const MAX_SEALED_LENGTH = 32 * 1024 * 1024;

/** The parts of a JWE under `dir` and A256GCM. */
export interface SealedParts {
  readonly header: SealedHeader;
  /** As it stands in the text: its ASCII bytes are the additional authenticated data. */
  readonly encodedHeader: string;
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

export interface SealedHeader {
  readonly alg: 'dir';
  readonly enc: 'A256GCM';
  readonly kid: string;
  readonly ctx: string;
}

/**
 * Takes a sealed field apart, strictly: five parts, exactly the four header members, an empty encrypted key, a 96-bit
 * vector, a 128-bit tag, canonical base64url throughout, so that one sealed value has one spelling only.
 * Nothing is decrypted. Throws SEALED_FIELD_MALFORMED, naming what is wrong but never the text.
 */
export function parseSealedField(text: string): SealedParts {
  const parts = parseSealed(text);
  if (parts.ciphertext.length % PADDING_BYTES !== 0) throw malformed('its ciphertext is not a multiple of 16 bytes');
  return parts;
}

/** As `parseSealedField`, for any length of ciphertext: whole records are not padded. */
export function parseSealed(text: string): SealedParts {
  if (text.length > MAX_SEALED_LENGTH) throw malformed('it is longer than a sealed value can be');
  const [encodedHeader = '', encryptedKey, iv, ciphertext, tag, ...rest] = text.split('.', PARTS + 1);
  if (iv === undefined || ciphertext === undefined || tag === undefined || rest.length > 0) {
    throw malformed('it does not have five parts');
  }
  if (encryptedKey !== '') throw malformed('it carries an encrypted key, which "dir" does not have');
  const parts = {
    header: parseHeader(decodeBase64url(encodedHeader, 'header').toString('utf8')),
    encodedHeader,
    iv: decodeBase64url(iv, 'initialization vector'),
    ciphertext: decodeBase64url(ciphertext, 'ciphertext'),
    tag: decodeBase64url(tag, 'tag'),
  };
  if (parts.iv.length !== IV_BYTES) throw malformed('its initialization vector is not 96 bits long');
  if (parts.tag.length !== TAG_BYTES) throw malformed('its tag is not 128 bits long');
  if (parts.ciphertext.length === 0) throw malformed('its ciphertext is empty');
  return parts;
}

const PARTS = 5;
const CONTEXT_PATTERN = new RegExp(`^[A-Za-z0-9_-]{${CONTEXT_LENGTH - 1}}[AQgw]$`);

function parseHeader(text: string): SealedHeader {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw malformed('its header is not JSON');
  }
  // Printing it again shows duplicate members, white space and escapes, which JSON.parse lets pass.
  if (!isSealedHeader(header) || JSON.stringify(header) !== text) {
    throw malformed('its header is not exactly alg "dir", enc "A256GCM", a kid and a ctx');
  }
  return header;
}

function isSealedHeader(header: unknown): header is SealedHeader {
  if (typeof header !== 'object' || header === null || Object.keys(header).length !== 4) return false;
  const { alg, enc, kid, ctx } = header as Partial<Record<string, unknown>>;
  return (
    alg === 'dir' &&
    enc === 'A256GCM' &&
    typeof kid === 'string' &&
    KID_PATTERN.test(kid) &&
    typeof ctx === 'string' &&
    CONTEXT_PATTERN.test(ctx)
  );
}

/**
 * Decodes base64url, canonical only: no padding, no other characters, unused bits zero (RFC 4648 section 3.5), so that
 * no two texts stand for the same bytes. Throws SEALED_FIELD_MALFORMED naming `part`.
 */
export function decodeBase64url(text: string, part: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw malformed(`its ${part} is not canonical base64url`);
  return bytes;
}
