import { ExpressionProblem } from '../failure.ts';
import { parseDate, parseTimestamp } from '../types/calendar.ts';
import { hasAtMostDigits, parseDecimal } from '../types/decimal.ts';
import { decimalType, MAXIMUM_PRECISION, type Type } from '../types/type.ts';
import type { Literal } from './tree.ts';

const LEAST_INT = -(2n ** 31n);
const MOST_INT = 2n ** 31n - 1n;
const LEAST_BIGINT = -(2n ** 63n);
const MOST_BIGINT = 2n ** 63n - 1n;

/**
 * A number's type by its form, as in Spark SQL: with an exponent a double; with a point a decimal of just so many
 * digits; else int, bigint or decimal, the first that holds it. Throws where none does.
 */
export function numberLiteral(text: string, negative: boolean, at: number): Literal {
  const signed = negative ? `-${text}` : text;
  if (/e/i.test(text)) {
    const value = Number(signed);
    if (!Number.isFinite(value)) throw new ExpressionProblem(at, 'a number is too large for a double');
    return { kind: 'literal', at, type: { name: 'double' }, value };
  }
  const value = parseDecimal(signed);
  if (value === undefined || !hasAtMostDigits(value, MAXIMUM_PRECISION) || value.scale > MAXIMUM_PRECISION)
    throw new ExpressionProblem(at, `a number has more than ${MAXIMUM_PRECISION} digits`);
  if (text.includes('.') || value.unscaled > MOST_BIGINT || value.unscaled < LEAST_BIGINT)
    return { kind: 'literal', at, type: decimalType(precisionOf(value.unscaled, value.scale), value.scale), value };
  const small = value.unscaled <= MOST_INT && value.unscaled >= LEAST_INT;
  const type: Type = { name: small ? 'int' : 'bigint' };
  return { kind: 'literal', at, type, value: small ? Number(value.unscaled) : value.unscaled };
}

/** Reads the text of `DATE '…'` and `TIMESTAMP '…'` as a cast would. */
export const TYPED_TEXT: Readonly<Record<string, (text: string, at: number) => Literal>> = {
  DATE: (text, at) => temporal({ name: 'date' }, parseDate(text), at),
  TIMESTAMP: (text, at) => temporal({ name: 'timestamp' }, parseTimestamp(text), at),
};

function temporal(type: Type, value: number | undefined, at: number): Literal {
  if (value === undefined) throw new ExpressionProblem(at, `a text that is no ${type.name} stands after ${type.name}`);
  return { kind: 'literal', at, type, value };
}

/** How many digits an integer literal has, which is its precision where it meets a decimal. */
export function precisionOf(unscaled: bigint, scale: number): number {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().length;
  return Math.max(digits, scale);
}
