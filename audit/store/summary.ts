import { crc32 } from 'node:zlib';
import { EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import type { EventColumns } from './columns.ts';

/** What of an event a summary has a mark of. */
export const MARKED = ['actor', 'action', 'objectType', 'objectId', 'outcome', 'traceId'] as const;
export type Marked = (typeof MARKED)[number];

/** Bytes of a mark. */
export const MARK_BYTES = 4;

/**
 * What stands in up to 256 events that follow one another: of each of them a mark of every text that can be asked for,
 * and the earliest and latest time. Whoever looks for a text finds in the marks which events may hold it; other texts may
 * have the same mark, so the event itself is looked at then.
 */
export interface Summary {
  /** The sequence of its first event, a multiple of 256. */
  readonly first: number;
  /** Events that it tells of. */
  readonly events: number;
  /** Of each event, one after another, the mark as a 32-bit big-endian number. */
  readonly marks: Readonly<Record<Marked, Buffer>>;
  /** Milliseconds since the epoch; null where no event says its time. */
  readonly earliest: number | null;
  readonly latest: number | null;
}

/** The mark of a text: CRC-32 of its UTF-8, and 0 where there is none. */
export function markOf(text: string | null): number {
  return text === null ? 0 : crc32(text);
}

/** Sums up events as a log grows. Knows nothing but the summary that is not full yet. */
export class SummaryBuilder {
  #first: number;
  #events = 0;
  readonly #marks = Object.fromEntries(
    MARKED.map((name) => [name, Buffer.alloc(EVENTS_PER_SUMMARY * MARK_BYTES)]),
  ) as Record<Marked, Buffer>;
  #earliest: number | null = null;
  #latest: number | null = null;

  /** Begins with the event of this sequence, a multiple of 256. */
  constructor(first = 0) {
    this.#first = first;
  }

  /** Takes the next event, and returns the summary that it fills. */
  append(columns: EventColumns): Summary | undefined {
    for (const name of MARKED) this.#marks[name].writeUInt32BE(markOf(columns[name]), this.#events * MARK_BYTES);
    const { time } = columns;
    if (time !== null && (this.#earliest === null || time < this.#earliest)) this.#earliest = time;
    if (time !== null && (this.#latest === null || time > this.#latest)) this.#latest = time;
    this.#events += 1;
    if (this.#events < EVENTS_PER_SUMMARY) return undefined;
    const full = this.unfinished();
    this.#first += EVENTS_PER_SUMMARY;
    this.#events = 0;
    this.#earliest = null;
    this.#latest = null;
    return full;
  }

  /** The summary of the events behind the last full one; undefined where there are none. */
  unfinished(): Summary | undefined {
    if (this.#events === 0) return undefined;
    const bytes = this.#events * MARK_BYTES;
    const marks = Object.fromEntries(
      MARKED.map((name) => [name, Buffer.from(this.#marks[name].subarray(0, bytes))]),
    ) as Record<Marked, Buffer>;
    return { first: this.#first, events: this.#events, marks, earliest: this.#earliest, latest: this.#latest };
  }
}
