import { payloadOf } from '../../audit/store/columns.ts';
import type { FoundEvent } from '../../audit/query/query.ts';
import type { JsonValue } from '../../core/record.ts';
import { table } from '../terminal/output.ts';
import { placeText } from './sources.ts';

type Members = Readonly<Record<string, unknown>>;

const WIDEST_CELL = 72;

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

const EVENT_HEADING = ['place', 'time (UTC)', 'actor', 'action', 'object', 'outcome', 'what happened'] as const;

export function eventRow(event: FoundEvent): readonly string[] {
  const { actor, action, objectType, objectId, outcome, time } = event.columns;
  const said = event.message === undefined ? undefined : payloadOf(event.message);
  return [
    placeText(event),
    time === null ? '' : timeText(time),
    actor ?? '?',
    action ?? 'no event',
    objectType === null ? '' : cut(`${objectType} ${shortened(objectId ?? '')}`),
    outcome ?? '',
    said === undefined ? '' : whatHappened(said),
  ];
}

/** A time as tables show it: in UTC, to the second. */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** An installation's id is 36 characters that say nothing; its first eight tell it from others. */
function shortened(id: string): string {
  return UUID.test(id) ? `${id.slice(0, 8)}…` : id;
}

/** Long names of tables must not push aside what happened. */
const WIDEST_OBJECT = 40;

function cut(object: string): string {
  return object.length > WIDEST_OBJECT ? `${object.slice(0, WIDEST_OBJECT - 1)}…` : object;
}

/** What is told of `details`, in this order; `audit show` has all of it. */
const TOLD: readonly { readonly member: string; readonly words: (value: string) => string }[] = [
  { member: 'principal', words: (name) => `by ${name}` },
  { member: 'tried', words: (name) => `as ${name}` },
  // What Cassandra calls a statement that it denied; the code says that already.
  { member: 'statement', words: (kind) => (kind === 'UNAUTHORIZED_ATTEMPT' ? '' : kind.replaceAll('_', ' ')) },
  { member: 'operation', words: (kind) => kind.replaceAll('_', ' ') },
  { member: 'right', words: (right) => `needs ${right}` },
  { member: 'address', words: (address) => `from ${address}` },
  { member: 'purpose', words: (purpose) => `for ${purpose}` },
  { member: 'classes', words: (classes) => `opens ${classes}` },
  { member: 'class', words: (name) => `class ${name}` },
  { member: 'subject', words: (subject) => `subject ${subject}` },
  { member: 'phase', words: (phase) => phase },
  { member: 'letter', words: (letter) => `letter ${letter}` },
  { member: 'code', words: (code) => code },
  ...['actor', 'action', 'outcome'].map((member) => ({ member, words: (value: string) => `${member} ${value}` })),
  ...['since', 'until'].map((member) => ({ member, words: (at: string) => `${member} ${timeText(Number(at))}` })),
  { member: 'set', words: (fields) => `--set ${fields}` },
  { member: 'changed', words: (settings) => `changed: ${settings}` },
  { member: 'reason', words: (reason) => reason },
];

/** A short sentence of an event's code, counts and details. */
function whatHappened({ counts, code, details }: Members): string {
  const told = membersOf(details);
  const { times, ...others } = membersOf(counts);
  const numbers = Object.entries(others).flatMap(([name, value]) => (value === 0 ? [] : [countText(name, value)]));
  const words = TOLD.flatMap(({ member, words: say }) => {
    const value = textOf(told[member]);
    return value === '' ? [] : [say(value)].filter((text) => text !== '');
  });
  return [
    ...(typeof code === 'string' ? [code] : []),
    ...numbers,
    ...words,
    ...rangesOf(told),
    ...(typeof times === 'number' && times > 1 ? [`${times} times`] : []),
  ].join(', ');
}

/** `1 row`, `3 dead letters`. */
function countText(name: string, value: unknown): string {
  const words = name.replaceAll('_', ' ');
  return `${String(value)} ${value === 1 ? words.replace(/s$/, '') : words}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string').join(' ') : '';
}

/** `partition 2: 0–999`, the first of several. */
function rangesOf({ ranges }: Members): string[] {
  const [first, ...more] = Array.isArray(ranges) ? (ranges as readonly Members[]) : [];
  if (first === undefined) return [];
  const range = `partition ${String(first['partition'])}: ${String(first['from'])}–${String(first['to'])}`;
  return [more.length === 0 ? range : `${range} and ${countText('more ranges', more.length)}`];
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
