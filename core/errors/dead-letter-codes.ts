/** Why a record cannot pass. The code travels in clear; the record itself is sealed whole. */
export const DEAD_LETTER_CODES = {
  // Found at the source.
  ROW_MALFORMED: 'the row does not have the shape that the header or the format promises',
  ROW_TOO_LARGE: 'the row is larger than the input limit',
  ENCODING_INVALID: 'the row is not valid UTF-8',
  VALUE_MISSING: 'a required value is missing',
  VALUE_NOT_OF_TYPE: 'a value cannot be read as the type that the contract gives it',
  VALUE_OUT_OF_RANGE: 'a value is outside the limits that the contract sets',
  VALUE_NOT_ALLOWED: 'a value fails a quality rule of severity error',
  EXPRESSION_FAILED: 'an expression of the contract cannot be evaluated on this record',
  MESSAGE_TOO_LARGE: 'the sealed message is larger than the topic accepts',
  SUBJECT_ERASED: 'the record is about a data subject whose keys are destroyed',
  // Found by the worker.
  HEADER_MISSING: 'a header that every message carries is missing or malformed',
  CONTRACT_UNKNOWN: 'the message names a contract or a version that this worker does not enforce',
  MAC_INVALID: 'the message authentication code does not fit the message',
  MESSAGE_NOT_JSON: 'the value is not a JSON object',
  MESSAGE_KEY_MISMATCH: 'the message key does not fit the record',
  SEALED_FIELD_MALFORMED: 'a sealed field does not have the form of a sealed field',
  SEALED_FIELD_MISPLACED: 'a sealed field is bound to another record or property',
  TIMESTAMP_AHEAD: 'the write timestamp is more than 5 minutes ahead of the broker',
} as const;

export type DeadLetterCode = keyof typeof DEAD_LETTER_CODES;
