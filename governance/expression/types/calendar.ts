/** Dates and times as Spark SQL reads and writes them, in UTC and in the proleptic Gregorian calendar. */

export const MILLISECONDS_PER_DAY = 86_400_000;
const MILLISECONDS = { hour: 3_600_000, minute: 60_000, second: 1000 } as const;
/** The largest distance from the epoch that a JavaScript date has. */
export const LARGEST_TIMESTAMP = 8.64e15;
const LARGEST_ZONE_OFFSET = 18 * MILLISECONDS.hour;

const DATE = /^([+-]?\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?$/s;
const TIMESTAMP =
  /^([+-]?\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?)? ?(Z|(?:UTC|GMT)?(?:[+-]\d{1,2}(?::?\d{1,2}(?::?\d{1,2})?)?)?)?)?)?)?$/;
const ZONE = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{1,2}))?(?::?(\d{1,2}))?$/;

/** Days since the epoch, or undefined where the calendar has no such day. */
function daysFromCivil(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  const days = date.setUTCFullYear(year, month - 1, day) / MILLISECONDS_PER_DAY;
  // An overflowing month or day rolls over silently; then it does not read back.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? days : undefined;
}

/** Reads `2016-01-02`, `2016-01` or `2016`; what follows a space or T is not looked at. Undefined where it is no date. */
export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  return match === null ? undefined : daysFromCivil(Number(match[1]), Number(match[2] ?? 1), Number(match[3] ?? 1));
}

/**
 * Reads `2016-01-02 03:04:05.678+01:00` and its shorter forms; UTC where no zone is given. Zones are `Z`, `UTC`, `GMT`
 * or an offset, not names of regions. Digits after the millisecond are cut off. Undefined where it is no time.
 */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = '', zone = ''] = match;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  const offset = zoneOffset(zone);
  if (days === undefined || offset === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  return days * MILLISECONDS_PER_DAY + clockTime(hour, minute, second) + milliseconds - offset;
}

function zoneOffset(zone: string): number | undefined {
  const match = ZONE.exec(zone);
  if (match === null) return 0;
  const [, sign, hour = 0, minute = 0, second = 0] = match;
  if (Number(minute) > 59 || Number(second) > 59) return undefined;
  const offset = clockTime(hour, minute, second);
  if (offset > LARGEST_ZONE_OFFSET) return undefined;
  return sign === '-' ? -offset : offset;
}

function clockTime(hour: string | number, minute: string | number, second: string | number): number {
  return Number(hour) * MILLISECONDS.hour + Number(minute) * MILLISECONDS.minute + Number(second) * MILLISECONDS.second;
}

/** `2016-01-02`; years beyond four digits with their sign. */
export function dateText(days: number): string {
  const date = new Date(days * MILLISECONDS_PER_DAY);
  const year = date.getUTCFullYear();
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  return `${sign}${digits(Math.abs(year), 4)}-${digits(date.getUTCMonth() + 1, 2)}-${digits(date.getUTCDate(), 2)}`;
}

/** `2016-01-02 03:04:05.678`, without zeros at the end of the fraction. */
export function timestampText(milliseconds: number): string {
  const time = new Date(milliseconds);
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()].map((part) => digits(part, 2));
  const fraction = digits(time.getUTCMilliseconds(), 3).replace(/0+$/, '');
  const text = `${dateText(dayOf(milliseconds))} ${clock.join(':')}`;
  return fraction === '' ? text : `${text}.${fraction}`;
}

/** The day that a moment lies in, in UTC. */
export function dayOf(milliseconds: number): number {
  return Math.floor(milliseconds / MILLISECONDS_PER_DAY);
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
