import type { TrimSide } from '../syntax/tree.ts';
import type { Type } from '../types/type.ts';
import { asText, strict, type Bound } from './bound.ts';

const TEXT: Type = { name: 'text' };
const SPACE = new Set([' ']);

/** Binds `||` and CONCAT: null as soon as one part is; parts that are no text are cast to text. */
export function bindConcatenation(at: number, parts: readonly Bound[]): Bound {
  return strict(at, TEXT, parts.map(asText), (...texts: string[]) => texts.join(''));
}

/** Binds TRIM: takes away spaces, or whichever of `characters` (a set of code points) stand at the given ends. */
export function bindTrim(at: number, side: TrimSide, operand: Bound, characters: Bound | undefined): Bound {
  const text = asText(operand);
  if (characters === undefined) return strict(at, TEXT, [text], (value: string) => trimmed(value, SPACE, side));
  return strict(at, TEXT, [text, asText(characters)], (value: string, set: string) =>
    trimmed(value, new Set(set), side),
  );
}

/**
 * The SUBSTRING of SQL, in code points: position 1 is the first, 0 means the same, a negative one counts from the end;
 * what lies outside the text is empty.
 */
export function substring(text: string, position: number, length: number): string {
  const characters = Array.from(text);
  const start = position > 0 ? position - 1 : position < 0 ? characters.length + position : 0;
  const end = Math.max(start + length, 0);
  return end <= start ? '' : characters.slice(Math.max(start, 0), end).join('');
}

function trimmed(text: string, set: ReadonlySet<string>, side: TrimSide): string {
  const characters = Array.from(text);
  let start = 0;
  let end = characters.length;
  if (side !== 'TRAILING') while (start < end && set.has(characters[start] ?? '')) start += 1;
  if (side !== 'LEADING') while (end > start && set.has(characters[end - 1] ?? '')) end -= 1;
  return characters.slice(start, end).join('');
}
