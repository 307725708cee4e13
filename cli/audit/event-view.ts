import { payloadOf } from '../../audit/store/columns.ts';
import type { FoundEvent } from '../../audit/query/query.ts';
import type { JsonValue } from '../../core/record.ts';
import { table } from '../output.ts';
import { placeText } from './sources.ts';

type Members = Readonly<Record<string, unknown>>;

const WIDEST_CELL = 64;
/** Members of `details` that say what happened, in the order in which they are told; others are in `audit show`. */
const TELLING = ['purpose', 'reason', 'attempt', 'code', 'statement', 'address'] as const;

/** An event as JSON: where it stands, and what it says; not verified here. */
export function eventDocumentOf(event: FoundEvent): JsonValue {
  const { epoch, sequence, message } = event;
  const said = message === undefined ? undefined : payloadOf(message);
  return {
    place: placeText(event),
    epoch,
    sequence,
    ...(said === undefined ? { unreadable: true } : { event: said as JsonValue }),
  };
}

/** Events as a table for people, in the order given. */
export function eventTable(events: readonly FoundEvent[]): string {
  return table([EVENT_HEADING, ...events.map(eventRow)], WIDEST_CELL);
}

const EVENT_HEADING = ['place', 'time', 'actor', 'action', 'object', 'outcome', 'what happened'] as const;

export function eventRow(event: FoundEvent): readonly string[] {
  const { actor, action, objectType, objectId, outcome, time } = event.columns;
  const said = event.message === undefined ? undefined : payloadOf(event.message);
  return [
    placeText(event),
    time === null ? '' : new Date(time).toISOString().replace('T', ' '),
    actor ?? '?',
    action ?? 'no event',
    objectType === null ? '' : `${objectType} ${objectId ?? ''}`,
    outcome ?? '',
    said === undefined ? '' : whatHappened(said),
  ];
}

/** A short sentence of an event's counts, code and details. */
function whatHappened({ counts, code, details }: Members): string {
  const numbers = Object.entries(membersOf(counts))
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${String(value)} ${name.replaceAll('_', ' ')}`);
  const told = membersOf(details);
  const words = TELLING.flatMap((name) => (typeof told[name] === 'string' && name !== 'attempt' ? [told[name]] : []));
  return [...(typeof code === 'string' ? [code] : []), ...numbers, ...words, ...rangesOf(told)].join(', ');
}

/** `offsets 0–999 of partition 2`, the first of several. */
function rangesOf({ ranges }: Members): string[] {
  const [first, ...more] = Array.isArray(ranges) ? (ranges as readonly Members[]) : [];
  if (first === undefined) return [];
  const range = `partition ${String(first['partition'])}: ${String(first['from'])}–${String(first['to'])}`;
  return [more.length === 0 ? range : `${range} and ${more.length} more ranges`];
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
