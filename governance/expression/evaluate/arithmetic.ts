import { ExpressionFailure, ExpressionProblem } from '../failure.ts';
import { precisionOf } from '../syntax/literals.ts';
import type { ArithmeticOperator } from '../syntax/tree.ts';
import { LARGEST_TIMESTAMP, MILLISECONDS_PER_DAY } from '../types/calendar.ts';
import { fitted, inRange } from '../types/cast.ts';
import { commonType, decimalOf, isNumeric } from '../types/common-type.ts';
import { aligned, divideHalfUp, powerOfTen } from '../types/decimal.ts';
import { adjustedDecimal, decimalType, typeName, type Decimal, type DecimalType, type Type } from '../types/type.ts';
import { convert, strict, type Bound } from './bound.ts';

/** The smallest number of digits after the point that a decimal division keeps. */
const MINIMUM_DIVISION_SCALE = 6;

/** What an operator does with each type. Integers that overflow, and any division by zero, are failures. */
interface Row {
  readonly int?: (a: number, b: number) => number;
  readonly bigint?: (a: bigint, b: bigint) => bigint;
  readonly double: (a: number, b: number) => number;
  readonly decimalType: (a: DecimalType, b: DecimalType) => DecimalType;
  readonly decimal: (a: Decimal, b: Decimal, result: DecimalType) => Decimal;
}

const OPERATORS: Readonly<Record<ArithmeticOperator, Row>> = {
  '+': {
    int: (a, b) => int(a + b),
    bigint: (a, b) => inRange(a + b, 'bigint'),
    double: (a, b) => a + b,
    decimalType: sumType,
    decimal(a, b) {
      const [left, right, scale] = aligned(a, b);
      return { unscaled: left + right, scale };
    },
  },
  '-': {
    int: (a, b) => int(a - b),
    bigint: (a, b) => inRange(a - b, 'bigint'),
    double: (a, b) => a - b,
    decimalType: sumType,
    decimal(a, b) {
      const [left, right, scale] = aligned(a, b);
      return { unscaled: left - right, scale };
    },
  },
  '*': {
    // A product of two ints can be past 2^53, where a double is no longer exact, but then it is past an int as well. The 0 turns −0 into 0.
    int: (a, b) => int(a * b + 0),
    bigint: (a, b) => inRange(a * b, 'bigint'),
    double: (a, b) => a * b,
    decimalType: (a, b) => adjustedDecimal(a.precision + b.precision + 1, a.scale + b.scale),
    decimal: (a, b) => ({ unscaled: a.unscaled * b.unscaled, scale: a.scale + b.scale }),
  },
  // Spark SQL divides integers as doubles.
  '/': {
    double: (a, b) => a / notZero(b),
    decimalType(a, b) {
      const scale = Math.max(MINIMUM_DIVISION_SCALE, a.scale + b.precision + 1);
      return adjustedDecimal(a.precision - a.scale + b.scale + scale, scale);
    },
    decimal(a, b, { scale }) {
      notZero(b.unscaled);
      const shift = scale + b.scale - a.scale;
      const dividend = shift >= 0 ? a.unscaled * powerOfTen(shift) : a.unscaled;
      return { unscaled: divideHalfUp(dividend, shift >= 0 ? b.unscaled : b.unscaled * powerOfTen(-shift)), scale };
    },
  },
  // The remainder has the sign of the dividend.
  '%': {
    int: (a, b) => (a % notZero(b)) + 0,
    bigint: (a, b) => a % notZero(b),
    double: (a, b) => a % notZero(b),
    decimalType(a, b) {
      const scale = Math.max(a.scale, b.scale);
      return adjustedDecimal(Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale);
    },
    decimal(a, b) {
      const [left, right, scale] = aligned(a, b);
      return { unscaled: left % notZero(right), scale };
    },
  },
};

/** Binds `left operator right`, with the types of Spark SQL in ANSI mode. A date plus or minus an int is a date. */
export function bindArithmetic(at: number, operator: ArithmeticOperator, left: Bound, right: Bound): Bound {
  const dated = dateArithmetic(at, operator, left, right);
  if (dated !== undefined) return dated;
  const type = commonNumber(left, right);
  if (type === undefined)
    throw new ExpressionProblem(
      at,
      `${operator} cannot be applied to ${typeName(left.type)} and ${typeName(right.type)}`,
    );
  const row = OPERATORS[operator];
  if (type.name === 'decimal') return bindDecimal(at, row, left, right);
  const body = type.name === 'double' ? undefined : row[type.name];
  const shared: Type = body === undefined ? { name: 'double' } : type;
  return strict(at, shared, [convert(left, shared), convert(right, shared)], body ?? row.double);
}

/** Binds `-x` and `+x`. Text is read as a double. */
export function bindSign(at: number, operator: '+' | '-', operand: Bound): Bound {
  const value = ['text', 'null'].includes(operand.type.name) ? convert(operand, { name: 'double' }) : operand;
  if (!isNumeric(value.type))
    throw new ExpressionProblem(at, `${operator} cannot be applied to ${typeName(value.type)}`);
  return operator === '+' ? value : strict(at, value.type, [value], NEGATIONS[value.type.name as NumberName]);
}

type NumberName = 'int' | 'bigint' | 'double' | 'decimal';

const NEGATIONS = {
  int: (value: number) => int(0 - value),
  bigint: (value: bigint) => inRange(-value, 'bigint'),
  double: (value: number) => -value,
  decimal: (value: Decimal): Decimal => ({ unscaled: -value.unscaled, scale: value.scale }),
} as const;

/** The integer, or OVERFLOW where 32 bits do not hold it. */
export function int(value: number): number {
  if ((value | 0) !== value) throw new ExpressionFailure('OVERFLOW');
  return value;
}

type WithoutDecimal = { readonly name: 'int' | 'bigint' | 'double' };

function commonNumber(left: Bound, right: Bound): WithoutDecimal | DecimalType | undefined {
  const type = commonType(left.type, right.type);
  if (type?.name === 'null') return { name: 'double' };
  if (type?.name === 'decimal') return type;
  return type?.name === 'int' || type?.name === 'bigint' || type?.name === 'double' ? { name: type.name } : undefined;
}

function bindDecimal(at: number, row: Row, left: Bound, right: Bound): Bound {
  const leftType = exactDecimal(left);
  const rightType = exactDecimal(right);
  const type = row.decimalType(leftType, rightType);
  return strict(at, type, [convert(left, leftType), convert(right, rightType)], (a: Decimal, b: Decimal) =>
    fitted(row.decimal(a, b, type), type),
  );
}

/** An integer literal beside a decimal counts with the digits that it has, not with those of its type. */
function exactDecimal(value: Bound): DecimalType {
  if (value.type.name === 'null') return decimalType(1, 0);
  const known = value.literal;
  if (typeof known === 'number' || typeof known === 'bigint') return decimalType(precisionOf(BigInt(known), 0), 0);
  return decimalOf(value.type);
}

function dateArithmetic(at: number, operator: ArithmeticOperator, left: Bound, right: Bound): Bound | undefined {
  const types = `${left.type.name} ${operator} ${right.type.name}`;
  if (types === 'int + date') return dateArithmetic(at, operator, right, left);
  if (types !== 'date + int' && types !== 'date - int') return undefined;
  const sign = operator === '+' ? 1 : -1;
  return strict(at, left.type, [left, right], (date: number, days: number) => day(date + sign * days));
}

function day(days: number): number {
  if (Math.abs(days) > LARGEST_TIMESTAMP / MILLISECONDS_PER_DAY) throw new ExpressionFailure('OVERFLOW');
  return days;
}

function notZero<T extends number | bigint>(divisor: T): T {
  if (divisor === 0 || divisor === 0n) throw new ExpressionFailure('DIVISION_BY_ZERO');
  return divisor;
}

function sumType(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale);
  return adjustedDecimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale);
}
