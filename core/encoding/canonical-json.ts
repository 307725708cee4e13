import type { JsonValue } from '../record.ts';

/**
 * The canonical form of a JSON value (RFC 8785): keys sorted by UTF-16 code units, numbers and strings as
 * ECMAScript prints them. Two parties that hold the same value hold the same bytes.
 * Throws a RangeError on what JSON cannot hold: a number that is not finite, a lone surrogate (RFC 8785 section 3.2.2.2).
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError('a number that is not finite has no JSON form');
  if (typeof value === 'string' && !value.isWellFormed()) throw new RangeError('a lone surrogate has no UTF-8 form');
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .filter((name) => value[name] !== undefined)
    .map((name) => `${canonicalJson(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
