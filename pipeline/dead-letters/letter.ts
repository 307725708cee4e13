import { hash } from 'node:crypto';
import type { DeadLetterCode } from '../../core/errors/dead-letter-codes.ts';
import type { JsonValue } from '../../core/record.ts';
import type { StageName } from '../facts.ts';

/** Headers of a dead letter: what may be known without opening it. Never a value of the record. */
export const DEAD_LETTER_HEADERS = {
  code: 'code',
  stage: 'stage',
  property: 'property',
  detail: 'detail',
  position: 'position',
  subject: 'subject',
  contractId: 'contract-id',
  contractVersion: 'contract-version',
  writeTimestamp: 'write-timestamp',
  traceparent: 'traceparent',
} as const;

/** What a dead letter holds once it is opened. Byte strings are base64. */
export type DeadLetterContent =
  /** A record that the source read as fields. */
  | { readonly kind: 'record'; readonly fields: readonly string[]; readonly values: readonly JsonValue[] }
  /** Input that could not be read as fields; cut to its head where it is too large to keep whole. */
  | { readonly kind: 'input'; readonly bytes: string; readonly totalBytes: number; readonly sha256: string }
  /** A message as it stood on the topic. */
  | {
      readonly kind: 'message';
      readonly key: string | null;
      readonly value: string | null;
      readonly headers: Readonly<Record<string, string>>;
    };

/** A record on its way to the dead letters, before it is sealed. */
export interface DeadLetter {
  readonly code: DeadLetterCode;
  readonly stage: StageName;
  readonly property?: string | undefined;
  /** What is wrong, without repeating the value. */
  readonly detail: string;
  /** `<source>:<position>` or `<topic>/<partition>/<offset>`. */
  readonly position: string;
  readonly subject: string | undefined;
  /** Microseconds; undefined where the record never got one or it cannot be read. */
  readonly writeTimestamp: string | undefined;
  readonly traceparent: string | undefined;
  readonly content: DeadLetterContent;
}

/** Bytes of a letter's content that are kept whole; beyond it the head, the length and the SHA-256 stand for it. */
export const CONTENT_LIMIT_BYTES = 2 * 1024 * 1024;
const HEAD_BYTES = 64 * 1024;

/** The bytes to seal for a letter: its content as JSON, or the content's head, length and SHA-256 where it is too large. */
export function contentBytes(content: DeadLetterContent): Buffer {
  const whole = Buffer.from(JSON.stringify(content));
  if (whole.length <= CONTENT_LIMIT_BYTES) return whole;
  const cut: DeadLetterContent = {
    kind: 'input',
    bytes: whole.subarray(0, HEAD_BYTES).toString('base64'),
    totalBytes: whole.length,
    sha256: hash('sha256', whole, 'hex'),
  };
  return Buffer.from(JSON.stringify(cut));
}

/** Reads back what `contentBytes` wrote. */
export function parseContent(bytes: Uint8Array): DeadLetterContent {
  return JSON.parse(Buffer.from(bytes).toString()) as DeadLetterContent;
}

/** What a letter's seal is bound to: its headers cannot be exchanged with another letter's unnoticed. */
export function placeOf(
  contractId: string,
  letter: Pick<DeadLetter, 'position' | 'writeTimestamp'> & { readonly code: string; readonly stage: string },
): readonly string[] {
  return ['dead-letter', contractId, letter.code, letter.stage, letter.position, letter.writeTimestamp ?? ''];
}
