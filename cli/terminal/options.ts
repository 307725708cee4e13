import { InvalidArgumentError } from 'commander';

/** Parses an option that is a whole number from 0 up. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return Number(text);
}

/** Parses an option that is a whole number from 1 up. */
export function atLeastOne(text: string): number {
  const number = wholeNumber(text);
  if (number < 1) throw new InvalidArgumentError('at least 1 is needed');
  return number;
}

/** Collects `--set FIELD=VALUE`, given any number of times. */
export function collectAssignment(
  text: string,
  previous: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('FIELD=VALUE is needed');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** Parses an option that is a number of bytes above 0: digits, and perhaps `kB`, `MB` or `GB`. */
export function byteCount(text: string): number {
  const [, count, unit = ''] = /^(\d{1,12})(?:([kMG])?B?)$/.exec(text) ?? [];
  const bytes = Number(count) * (SIZES[unit] ?? 0);
  if (!(bytes > 0)) throw new InvalidArgumentError('a number of bytes is needed, such as 500kB or 10MB');
  return bytes;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The time that a text names: so long before `now`, or RFC 3339. NaN where it names none. */
export function timeOf(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (unit !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  return /^\d{4}-\d{2}-\d{2}(T|$)/.test(text) ? Date.parse(text) : NaN;
}

/** Parses an option that is a time, and leaves it as text: what it names depends on when it is asked. */
export function timeText(text: string): string {
  if (Number.isNaN(timeOf(text, 0))) throw new InvalidArgumentError('10m, 1h, 2d or an RFC 3339 time is needed');
  return text;
}
