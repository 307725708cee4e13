import { ExpressionFailure, ExpressionProblem } from '../failure.ts';
import { asText, bound, strict, type Bound } from './bound.ts';

/** One character of a pattern, or a wildcard: `any` for `_`, `rest` for `%`. */
type Part = { readonly character: string } | 'any' | 'rest';

const ESCAPE = '\\';

/**
 * Binds `operand LIKE pattern`: `_` stands for one code point, `%` for any number of them, `\` makes the next
 * `_`, `%` or `\` stand for itself. Case counts. A literal pattern is read once, and refused now where it is wrong.
 */
export function bindLike(at: number, operand: Bound, pattern: Bound): Bound {
  const subject = asText(operand);
  const given = asText(pattern);
  if (typeof given.literal !== 'string') {
    return strict(at, { name: 'boolean' }, [subject, given], (text: string, written: string) => {
      const parts = partsOf(written);
      if (parts === undefined) throw new ExpressionFailure('PATTERN_INVALID');
      return fits(Array.from(text), parts);
    });
  }
  const parts = partsOf(given.literal);
  if (parts === undefined)
    throw new ExpressionProblem(pattern.at, 'a pattern that escapes what is neither %, _ nor \\');
  return bound(at, { name: 'boolean' }, (row) => {
    const text = subject.evaluate(row);
    return text === null ? null : fits(Array.from(text as string), parts);
  });
}

function partsOf(pattern: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  const characters = Array.from(pattern);
  for (let place = 0; place < characters.length; place += 1) {
    const character = characters[place] ?? '';
    if (character === '_') parts.push('any');
    else if (character === '%') parts.push('rest');
    else if (character !== ESCAPE) parts.push({ character });
    else {
      place += 1;
      const escaped = characters[place] ?? '';
      if (!['_', '%', ESCAPE].includes(escaped)) return undefined;
      parts.push({ character: escaped });
    }
  }
  return parts;
}

/**
 * Matches without backtracking over more than the last `%`: at worst the product of both lengths, where a
 * regular expression could take exponential time.
 */
function fits(text: readonly string[], parts: readonly Part[]): boolean {
  let place = 0;
  let part = 0;
  let retryPart = -1;
  let retryPlace = 0;
  while (place < text.length) {
    const expected = parts[part];
    if (expected === 'rest') {
      retryPart = part += 1;
      retryPlace = place;
    } else if (expected !== undefined && (expected === 'any' || expected.character === text[place])) {
      part += 1;
      place += 1;
    } else {
      if (retryPart < 0) return false;
      part = retryPart;
      place = retryPlace += 1;
    }
  }
  return parts.slice(part).every((left) => left === 'rest');
}
