import { EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import type { EventColumns } from '../store/columns.ts';
import { MARK_BYTES, MARKED, markOf, type Marked } from '../store/summary.ts';
import type { StoredSummary } from '../store/summaries.ts';

/** What events are asked for; every member that is given must fit. */
export interface EventFilter extends Partial<Readonly<Record<Marked, string | undefined>>> {
  /** Milliseconds since the epoch, by the actor's clock: from then on, and before. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** The texts that are asked for. */
export function askedTexts(filter: EventFilter): readonly Marked[] {
  return MARKED.filter((name) => filter[name] !== undefined);
}

/** Whether anything is asked for, so that summaries tell where to look. */
export function isSelective(filter: EventFilter): boolean {
  return askedTexts(filter).length > 0 || filter.since !== undefined || filter.until !== undefined;
}

/** Whether an event is one that is asked for. */
export function fits(filter: EventFilter, columns: EventColumns): boolean {
  const { time } = columns;
  return (
    askedTexts(filter).every((name) => columns[name] === filter[name]) &&
    (filter.since === undefined || (time !== null && time >= filter.since)) &&
    (filter.until === undefined || (time !== null && time < filter.until))
  );
}

/** The sequences of a summary's events that may fit, rising: the marks of every other one say that it does not. */
export function candidates(filter: EventFilter, { first, earliest, latest, marks }: StoredSummary): number[] {
  const { since, until } = filter;
  if (since !== undefined && (latest === null || latest < since)) return [];
  if (until !== undefined && (earliest === null || earliest >= until)) return [];
  const asked = askedTexts(filter).map((name) => ({
    mark: markOf(filter[name] ?? null),
    bytes: marks.get(name) ?? Buffer.alloc(0),
  }));
  const known = asked.map(({ bytes }) => Math.floor(bytes.length / MARK_BYTES));
  const events = Math.min(EVENTS_PER_SUMMARY, ...known);
  const found: number[] = [];
  for (let at = 0; at < events; at += 1)
    if (asked.every(({ mark, bytes }) => bytes.readUInt32BE(at * MARK_BYTES) === mark)) found.push(first + at);
  return found;
}
