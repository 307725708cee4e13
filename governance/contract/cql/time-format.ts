import { millisecondsOf, offsetMinutes, type TimeParts } from './calendar.ts';

type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'zone' | 'monthName' | 'half';

/** The pattern letters understood: a subset of those that ODCS takes from the JDK's DateTimeFormatter. */
const LETTERS: Readonly<Record<string, { readonly part: Part; readonly pattern: string }>> = {
  yyyy: { part: 'year', pattern: '(\\d{4})' },
  uuuu: { part: 'year', pattern: '(\\d{4})' },
  MM: { part: 'month', pattern: '(\\d{2})' },
  M: { part: 'month', pattern: '(\\d{1,2})' },
  MMM: { part: 'monthName', pattern: '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)' },
  dd: { part: 'day', pattern: '(\\d{2})' },
  d: { part: 'day', pattern: '(\\d{1,2})' },
  HH: { part: 'hour', pattern: '(\\d{2})' },
  H: { part: 'hour', pattern: '(\\d{1,2})' },
  hh: { part: 'hour', pattern: '(0[1-9]|1[0-2])' },
  h: { part: 'hour', pattern: '(1[0-2]|[1-9])' },
  a: { part: 'half', pattern: '(AM|PM)' },
  mm: { part: 'minute', pattern: '(\\d{2})' },
  ss: { part: 'second', pattern: '(\\d{2})' },
  X: { part: 'zone', pattern: '(Z|[+-]\\d{2})' },
  XX: { part: 'zone', pattern: '(Z|[+-]\\d{4})' },
  XXX: { part: 'zone', pattern: '(Z|[+-]\\d{2}:\\d{2})' },
  Z: { part: 'zone', pattern: '([+-]\\d{4})' },
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A literal in quotes, a run of one letter, or any other character, which stands for itself. */
const TOKEN = /'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'])/gu;

export interface TimeFormat {
  /** Milliseconds since the epoch, or undefined where the text does not have this format. */
  parse(text: string): number | undefined;
}

/** Compiles a pattern such as `dd.MM.yyyy HH:mm`; returns what is wrong with it where it is none that is understood. */
export function compileTimeFormat(format: string): TimeFormat | { readonly problem: string } {
  const parts: Part[] = [];
  let pattern = '';
  let end = 0;
  for (const match of format.matchAll(TOKEN)) {
    if (match.index !== end) break;
    end = match.index + match[0].length;
    const [, literal, letters, , other] = match;
    if (letters === undefined) {
      pattern += escaped(literal === undefined ? (other ?? '') : literal === '' ? "'" : literal.replaceAll("''", "'"));
      continue;
    }
    const known = /^S{1,9}$/.test(letters)
      ? { part: 'fraction' as const, pattern: `(\\d{${letters.length}})` }
      : LETTERS[letters];
    if (known === undefined) return { problem: `the format letters "${letters}" are not known; ${KNOWN}` };
    if (parts.includes(known.part)) return { problem: `the format names its ${known.part} twice` };
    parts.push(known.part);
    pattern += known.pattern;
  }
  if (end !== format.length) return { problem: 'the format has a quote that is not closed' };
  const missing = ['year', 'month', 'day'].filter((part) => !parts.some((given) => given.startsWith(part)));
  if (missing.length > 0) return { problem: `the format names no ${missing.join(', no ')}; ${KNOWN}` };
  const expression = new RegExp(`^${pattern}$`, 'u');
  return { parse: (text) => parse(expression, parts, text) };
}

const KNOWN = `known are ${Object.keys(LETTERS).join(' ')} S…, and text in 'quotes'`;

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function parse(expression: RegExp, parts: readonly Part[], text: string): number | undefined {
  const match = expression.exec(text);
  if (match === null) return undefined;
  const found: Partial<Record<Part, string>> = {};
  for (const [index, part] of parts.entries()) found[part] = match[index + 1] ?? '';
  const given: TimeParts = {
    year: Number(found.year),
    month: found.monthName === undefined ? Number(found.month) : MONTHS.indexOf(found.monthName) + 1,
    day: Number(found.day),
    hour: hourOf(Number(found.hour ?? 0), found.half),
    minute: Number(found.minute ?? 0),
    second: Number(found.second ?? 0),
    millisecond: Number((found.fraction ?? '0').padEnd(3, '0').slice(0, 3)),
    offsetMinutes: offsetMinutes(found.zone),
  };
  return millisecondsOf(given);
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  return (hour % 12) + (half === 'PM' ? 12 : 0);
}
