import { hash } from 'node:crypto';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';
import { CONTEXT_LENGTH, HEADER_END } from './layout.ts';

declare const context: unique symbol;

/**
 * Where a sealed field belongs, in the form in which the protected header ends: base64url of the `ctx` value followed
 * by `"}` (32 characters). Sealing appends it as it is; checking compares it as it is.
 */
export type FieldContext = string & { readonly [context]: 'field' };

/**
 * The `ctx` value of a sealed field: base64url of the first 16 bytes of SHA-256 over contract id, property and the
 * record's key texts, each as UTF-8 preceded by its length in bytes as a 32-bit big-endian number.
 * `vectors.json` has examples.
 */
export function contextText(contractId: string, property: string, key: readonly string[]): string {
  return shortened(lengthPrefixed([contractId, property, ...key]));
}

/** The context of one field. For many records of one contract use `fieldContexts`. */
export function fieldContext(contractId: string, property: string, key: readonly string[]): FieldContext {
  return asFieldContext(contextText(contractId, property, key));
}

/**
 * The context of a sealed whole: a record in a dead letter is bound to the texts of its place.
 * The empty first text keeps it apart from every field's context, because no contract id is empty.
 */
export function placeContext(place: readonly string[]): FieldContext {
  return asFieldContext(shortened(lengthPrefixed(['', ...place])));
}

/**
 * Prepares the contexts of several properties of one contract. The function returned gives them for a record's key,
 * aligned with `properties`; it keeps one scratch buffer and hashes once a property.
 */
export function fieldContexts(
  contractId: string,
  properties: readonly string[],
): (key: readonly string[]) => FieldContext[] {
  const prefixes = properties.map((property) => lengthPrefixed([contractId, property]));
  const keyAt = Math.max(0, ...prefixes.map((prefix) => prefix.length));
  let scratch = Buffer.allocUnsafeSlow(keyAt + INITIAL_KEY_BYTES);
  const stride = CONTEXT_LENGTH + HEADER_END.length;
  const ends = Buffer.alloc(stride * properties.length, ' '.repeat(CONTEXT_LENGTH) + HEADER_END, 'latin1');
  return (key) => {
    const keyBytes = lengthPrefixed(key);
    const end = keyAt + keyBytes.length;
    if (end > scratch.length) scratch = Buffer.allocUnsafeSlow(end * 2);
    scratch.set(keyBytes, keyAt);
    let at = 0;
    for (const prefix of prefixes) {
      const start = keyAt - prefix.length;
      scratch.set(prefix, start);
      ends.write(hash('sha256', scratch.subarray(start, end), 'base64url'), at, CONTEXT_LENGTH, 'latin1');
      ends[at + CONTEXT_LENGTH - 1] = LAST_CHARACTER[ends[at + CONTEXT_LENGTH - 1] ?? 0] ?? 0;
      at += stride;
    }
    // The stride is a multiple of three bytes: the contexts are encoded together and cut apart.
    const encoded = ends.toString('base64url');
    return prefixes.map(
      (_, index) => encoded.slice(index * ENCODED_STRIDE, (index + 1) * ENCODED_STRIDE) as FieldContext,
    );
  };
}

/** The `ctx` value that a context stands for. */
export function textOfContext(context: FieldContext): string {
  return Buffer.from(context, 'base64url').toString('latin1', 0, CONTEXT_LENGTH);
}

const INITIAL_KEY_BYTES = 1024;
const ENCODED_STRIDE = 32;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The 22nd character of 16 bytes holds two bits of the hash; in the text of all 32 bytes it holds four bits more, cleared here. */
const LAST_CHARACTER: readonly number[] = Array.from({ length: 128 }, (_, code) => {
  const value = ALPHABET.indexOf(String.fromCharCode(code));
  return value < 0 ? 0 : ALPHABET.charCodeAt(value & 0b110000);
});

function shortened(input: Buffer): string {
  return Buffer.from(hash('sha256', input, 'hex').slice(0, 32), 'hex').toString('base64url');
}

function asFieldContext(text: string): FieldContext {
  return Buffer.from(text + HEADER_END, 'latin1').toString('base64url') as FieldContext;
}
