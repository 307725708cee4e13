import { WardlineError } from '../../core/errors/errors.ts';
import { KID_PATTERN } from '../keyring/data-key.ts';
import { textOfContext, type FieldContext } from './context.ts';
import {
  CONTEXT_AT,
  ENCODED_MIDDLE,
  ENCODED_START,
  HEADER_LENGTH,
  KID_AT,
  MIDDLE_AT,
  PADDING_BYTES,
} from './layout.ts';
import { parseSealedField } from './parse.ts';

type SealedFieldFault = 'SEALED_FIELD_MALFORMED' | 'SEALED_FIELD_MISPLACED';

/**
 * Returns a function that says what can be seen to be wrong with a sealed field without any key: its form, its kid's
 * form, and whether it is bound to this place. Undefined means no fault was seen; the tag is checked only at opening.
 * The function never throws. It remembers the kid it saw last, so fields under one key are best given to one function.
 */
export function sealedFieldFaults(): (text: unknown, context: FieldContext) => SealedFieldFault | undefined {
  let knownStart: string | undefined;
  return (text, context) => {
    if (typeof text !== 'string') return 'SEALED_FIELD_MALFORMED';
    // The way of nearly every field: our own spelling of the header, compared piece by piece without decoding it.
    if (text.length <= FAST_LENGTH && text.slice(CONTEXT_AT, HEADER_LENGTH) === context && hasOwnTail(text)) {
      const start = text.slice(0, CONTEXT_AT);
      if (start === knownStart) return undefined;
      if (isOwnStart(start)) {
        knownStart = start;
        return undefined;
      }
    }
    return strictFault(text, context);
  };
}

function strictFault(text: string, context: FieldContext): SealedFieldFault | undefined {
  try {
    return parseSealedField(text).header.ctx === textOfContext(context) ? undefined : 'SEALED_FIELD_MISPLACED';
  } catch (error) {
    if (error instanceof WardlineError) return 'SEALED_FIELD_MALFORMED';
    throw error;
  }
}

/** Longer texts take the strict way: a pattern this long would use up the matcher's stack. */
const FAST_LENGTH = 64 * 1024;

/** The header up to the ctx; the kid's inside is looked at apart. */
const START = new RegExp(`^${ENCODED_START}[A-Za-z0-9_-]{32}${ENCODED_MIDDLE}$`);

function isOwnStart(start: string): boolean {
  return (
    START.test(start) && KID_PATTERN.test(Buffer.from(start.slice(KID_AT, MIDDLE_AT), 'base64url').toString('latin1'))
  );
}

/** What follows the header; the ciphertext's length and last character are looked at apart. */
const TAIL = /[.]{2}[A-Za-z0-9_-]{16}[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]{21}[AQgw]$/y;
/** Characters before the ciphertext (header, two dots, vector, dot) and after it (dot, tag). */
const BEFORE_CIPHERTEXT = HEADER_LENGTH + 2 + 16 + 1;
const AFTER_CIPHERTEXT = 1 + 22;
/** Which characters may end a base64url text of this length modulo 4: those whose unused bits are zero (RFC 4648 section 3.5). */
const LAST_CHARACTERS: readonly (string | undefined)[] = [undefined, '', 'AQgw', 'AEIMQUYcgkosw048'];

function hasOwnTail(text: string): boolean {
  const length = text.length - BEFORE_CIPHERTEXT - AFTER_CIPHERTEXT;
  const bytes = (length * 3) >> 2;
  const last = text.charAt(BEFORE_CIPHERTEXT + length - 1);
  TAIL.lastIndex = HEADER_LENGTH;
  return (
    bytes >= PADDING_BYTES &&
    bytes % PADDING_BYTES === 0 &&
    (LAST_CHARACTERS[length % 4]?.includes(last) ?? true) &&
    TAIL.test(text)
  );
}
