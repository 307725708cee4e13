import type { DeadLetterCode } from '../../core/errors/dead-letter-codes.ts';
import type { JsonValue, Raw } from '../../core/record.ts';

/** Input that never became a record: kept as bytes, to be sealed whole as a dead letter. */
export interface Malformed {
  readonly malformed: true;
  /** Where it stands in its source, counted with the records. */
  readonly position: number;
  readonly code: DeadLetterCode;
  /** What is wrong, without any of the input. */
  readonly detail: string;
  /** The beginning of the input, up to `KEPT_BYTES`. */
  readonly bytes: Uint8Array;
  readonly totalBytes: number;
  /** Lower-case hex SHA-256 over all of the input's bytes. */
  readonly sha256: string;
}

export type SourceItem = Raw | Malformed;

/** How much of a malformed input is kept. */
export const KEPT_BYTES = 1024 * 1024;

interface ReadOptions {
  /** Items up to this position were acknowledged before: they are passed over. 0 reads all. */
  readonly from: number;
  /** Ends the reading between two batches. */
  readonly signal?: AbortSignal | undefined;
}

/** A source of records. Reading it twice gives the same items at the same positions, so that a run can be resumed. */
export interface Source {
  /** For people: what the source is, without any value. */
  readonly name: string;
  /** What makes it this source and no other, for the position that is kept of it. */
  readonly identity: Readonly<Record<string, JsonValue>>;
  /** What the input looks like now, its beginning up to `headBytes`; undefined where it cannot change. */
  fingerprint(headBytes?: number): Promise<Fingerprint | undefined>;
  /**
   * Batches of items with rising positions from 1 on. The values of a record are aligned with `fields`.
   * Throws, with the first batch, SOURCE_UNREADABLE, SOURCE_EMPTY, SOURCE_ENCODING, SOURCE_COLUMNS_AMBIGUOUS, or
   * SOURCE_COLUMNS_MISSING with all that are missing. Bad input never throws: it is an item.
   */
  batches(fields: readonly string[], options: ReadOptions): AsyncIterable<readonly SourceItem[]>;
}

/** Recognises a file that was replaced or cut since its position was kept. */
export interface Fingerprint {
  readonly sizeBytes: number;
  /** How many bytes from the file's beginning the hash is over. */
  readonly headBytes: number;
  readonly headSha256: string;
}

export function isMalformed(item: SourceItem): item is Malformed {
  return 'malformed' in item;
}
