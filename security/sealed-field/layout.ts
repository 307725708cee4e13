/**
 * The protected header is exactly `{"alg":"dir","enc":"A256GCM","kid":"<24>","ctx":"<22>"}`, in this order. Every part
 * starts at a multiple of three bytes, so each can be encoded to base64url on its own and the pieces joined:
 *
 *     bytes   0..35  {"alg":"dir","enc":"A256GCM","kid":"    48 characters, the same in every sealed field
 *     bytes  36..59  the kid                                  32 characters, the same for one data key
 *     bytes  60..68  ","ctx":"                                12 characters, the same in every sealed field
 *     bytes  69..92  the ctx and "}                           32 characters, a `FieldContext`
 */
const HEADER_START = '{"alg":"dir","enc":"A256GCM","kid":"';
const HEADER_MIDDLE = '","ctx":"';
export const HEADER_END = '"}';

export const CONTEXT_LENGTH = 22;

const base64url = (text: string): string => Buffer.from(text, 'latin1').toString('base64url');

export const ENCODED_START = base64url(HEADER_START);
export const ENCODED_MIDDLE = base64url(HEADER_MIDDLE);

/** Where the parts of an encoded header of this layout begin, in characters. */
export const KID_AT = ENCODED_START.length;
export const MIDDLE_AT = KID_AT + 32;
export const CONTEXT_AT = MIDDLE_AT + ENCODED_MIDDLE.length;
export const HEADER_LENGTH = CONTEXT_AT + 32;

export const IV_BYTES = 12;
export const TAG_BYTES = 16;
/** Plaintexts are padded with spaces to a multiple of this, so that lengths tell little. */
export const PADDING_BYTES = 16;

/** The encoded header up to the ctx: what all sealed fields of one data key share. */
export function encodedHeaderStart(kid: string): string {
  return ENCODED_START + base64url(kid) + ENCODED_MIDDLE;
}
