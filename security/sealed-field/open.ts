import { createDecipheriv, createSecretKey } from 'node:crypto';
import type { JsonValue } from '../../core/record.ts';
import type { DataKey, KeyPlace } from '../keyring/data-key.ts';
import { textOfContext, type FieldContext } from './context.ts';
import {
  alteredError,
  checkNotWiped,
  keyElsewhereError,
  misplacedError,
  notJsonError,
  wrongKeyError,
} from './refusal.ts';
import { parseSealedField, type SealedHeader, type SealedParts } from './parse.ts';

/** Where the sealed field was found: what it must have been sealed for. */
export interface ExpectedPlace extends KeyPlace {
  readonly context: FieldContext;
}

/**
 * Opens a sealed field. The checks, in order:
 * 1. form: SEALED_FIELD_MALFORMED;
 * 2. the key is the one that the header names, and was not wiped: KEY_MISMATCH, KEY_DESTROYED;
 * 3. the key belongs to the contract, subject and class of the place: KEY_MISMATCH;
 * 4. the field is bound to the place: SEALED_FIELD_MISPLACED;
 * 5. the tag, over header and ciphertext: SEALED_FIELD_ALTERED.
 * Nothing of the plaintext is returned, or appears in an error, unless all five hold.
 */
export function openSealedField(text: string, dataKey: DataKey, expected: ExpectedPlace): JsonValue {
  const parts = parseSealedField(text);
  checkKey(parts.header, dataKey);
  checkKeyPlace(dataKey, expected);
  checkContext(parts.header, expected.context);
  return parseValue(decrypt(parts, dataKey));
}

/** Check 2: the key is the one that the header names, and it is there. Throws KEY_MISMATCH or KEY_DESTROYED. */
export function checkKey(header: SealedHeader, dataKey: DataKey): void {
  if (header.kid !== dataKey.kid) throw wrongKeyError(header.kid, dataKey.kid);
  checkNotWiped(dataKey);
}

/** Check 3: the key's own contract, subject and class are those of the place. Throws KEY_MISMATCH naming the first that is not. */
export function checkKeyPlace(dataKey: KeyPlace & { readonly kid: string }, expected: KeyPlace): void {
  for (const part of ['contract', 'subject', 'classification'] as const) {
    if (dataKey[part] === expected[part]) continue;
    throw keyElsewhereError(dataKey.kid, part);
  }
}

/** Check 4: the header's ctx is that of the place. Throws SEALED_FIELD_MISPLACED. */
export function checkContext(header: SealedHeader, context: FieldContext): void {
  if (header.ctx === textOfContext(context)) return;
  throw misplacedError();
}

/** Check 5, and the plaintext. Throws SEALED_FIELD_ALTERED, and then releases nothing. */
export function decrypt(parts: SealedParts, dataKey: DataKey): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(dataKey.key), parts.iv, {
    authTagLength: parts.tag.length,
  });
  decipher.setAAD(Buffer.from(parts.encodedHeader, 'ascii'));
  decipher.setAuthTag(parts.tag);
  const plaintext = decipher.update(parts.ciphertext);
  try {
    decipher.final();
  } catch (cause) {
    plaintext.fill(0);
    throw alteredError(cause);
  }
  return plaintext;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseValue(plaintext: Buffer): JsonValue {
  try {
    return JSON.parse(utf8.decode(plaintext)) as JsonValue;
  } catch {
    // Neither the cause nor its message is kept: a JSON error quotes the text.
    throw notJsonError();
  }
}
