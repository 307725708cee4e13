const MILLISECONDS_PER_DAY = 86_400_000;
const MILLISECONDS_PER_MINUTE = 60_000;

/** Years 0001 to 9999 only, so that every date and timestamp has exactly one ISO 8601 text of fixed length. */
const EARLIEST_MILLISECONDS = Date.UTC(2000, 0, 1) - 730_119 * MILLISECONDS_PER_DAY;
const LATEST_MILLISECONDS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The offset's largest absolute value, as ISO 8601 uses it in practice: 18 hours. */
const OFFSET_LIMIT_MINUTES = 18 * 60;

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** The parts of a point in time as a reader finds them; what a text does not say is zero, and the zone UTC. */
export interface TimeParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  readonly offsetMinutes: number;
}

/** Milliseconds since the epoch, or undefined where there is no such day or time. */
export function millisecondsOf(parts: TimeParts): number | undefined {
  const { year, month, day, hour, minute, second, millisecond, offsetMinutes } = parts;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || Math.abs(offsetMinutes) > OFFSET_LIMIT_MINUTES) return undefined;
  const date = new Date(0);
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, millisecond);
  const milliseconds = date.getTime() - offsetMinutes * MILLISECONDS_PER_MINUTE;
  return inRange(milliseconds) ? milliseconds : undefined;
}

export function inRange(milliseconds: number): boolean {
  return milliseconds >= EARLIEST_MILLISECONDS && milliseconds <= LATEST_MILLISECONDS;
}

/** Days since the epoch of `YYYY-MM-DD`, or undefined. */
export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const milliseconds = millisecondsOf({
    year: Number(match[1]),
    month: Number(match[2]),
    day: Number(match[3]),
    hour: 0,
    minute: 0,
    second: 0,
    millisecond: 0,
    offsetMinutes: 0,
  });
  return milliseconds === undefined ? undefined : milliseconds / MILLISECONDS_PER_DAY;
}

/**
 * Milliseconds since the epoch of an ISO 8601 text (a space for the T is accepted; without a zone it is UTC, without a time
 * midnight), or undefined. Digits below the millisecond are cut off, as CQL timestamps have none.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, date = '', hour = '0', minute = '0', second = '0', fraction = '0', zone] = match;
  return millisecondsOf({
    year: Number(date.slice(0, 4)),
    month: Number(date.slice(5, 7)),
    day: Number(date.slice(8, 10)),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number(fraction.padEnd(3, '0').slice(0, 3)),
    offsetMinutes: offsetMinutes(zone),
  });
}

/** Minutes east of UTC of `Z`, `+01`, `+0100` or `+01:00`; no zone is UTC. */
export function offsetMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || '0');
  return zone.startsWith('-') ? -minutes : minutes;
}

/** `YYYY-MM-DD`. */
export function dateText(days: number): string {
  if (days !== lastDays) {
    lastDate = new Date(days * MILLISECONDS_PER_DAY).toISOString().slice(0, 10);
    lastDays = days;
  }
  return lastDate;
}

/** Records of one day mostly come together: its text is made once. */
let lastDays = 0;
let lastDate = '1970-01-01';

/** `YYYY-MM-DDThh:mm:ss.sssZ`. */
export function timestampText(milliseconds: number): string {
  const days = Math.floor(milliseconds / MILLISECONDS_PER_DAY);
  const ofDay = milliseconds - days * MILLISECONDS_PER_DAY;
  const minutes = Math.floor(ofDay / 60_000);
  const ofMinute = ofDay - minutes * 60_000;
  const seconds = Math.floor(ofMinute / 1000);
  const hours = Math.floor(minutes / 60);
  const thousandths = ofMinute - seconds * 1000;
  const fraction = thousandths === 0 ? '000' : String(thousandths).padStart(3, '0');
  return `${dateText(days)}T${twoDigits(hours)}:${twoDigits(minutes - hours * 60)}:${twoDigits(seconds)}.${fraction}Z`;
}

const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

function twoDigits(value: number): string {
  return TWO_DIGITS[value] ?? '';
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
