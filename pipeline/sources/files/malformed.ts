import { createHash } from 'node:crypto';
import type { DeadLetterCode } from '../../../core/errors/dead-letter-codes.ts';
import { KEPT_BYTES, type Malformed } from '../source.ts';
import type { Frame } from './frames.ts';

/** A row that does not become a record. Copies what it keeps, so that the chunk it was read in can go. */
export function malformed(frame: Frame, position: number, code: DeadLetterCode, detail: string): Malformed {
  return {
    malformed: true,
    position,
    code,
    detail,
    bytes: Uint8Array.from(frame.bytes.subarray(0, KEPT_BYTES)),
    totalBytes: frame.totalBytes,
    sha256: frame.tooLarge ?? createHash('sha256').update(frame.bytes).digest('hex'),
  };
}

export function tooLarge(frame: Frame, position: number, limit: number): Malformed {
  return malformed(frame, position, 'ROW_TOO_LARGE', `${frame.totalBytes} bytes; the limit is ${limit}`);
}

export function notUtf8(frame: Frame, position: number): Malformed {
  return malformed(frame, position, 'ENCODING_INVALID', 'not valid UTF-8');
}
