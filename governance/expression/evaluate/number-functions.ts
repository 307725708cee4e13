import { inRange } from '../types/cast.ts';
import { decimalFromDouble, decimalToDouble, divideHalfUp, floorOf, powerOfTen, rescale } from '../types/decimal.ts';
import {
  boundedDecimal,
  decimalType,
  MAXIMUM_PRECISION,
  type Decimal,
  type SqlType,
  type Type,
} from '../types/type.ts';
import type { Implementation } from './bound.ts';
import { ExpressionFailure } from '../failure.ts';
import { int } from './arithmetic.ts';

/** What a function of one number does, by the number's type. */
type ByType = Readonly<Partial<Record<SqlType, (type: Type) => { type: Type; implementation: Implementation }>>>;

/** ABS: the least integer has no opposite, so it is a failure. */
export const ABSOLUTE: ByType = {
  int: (type) => ({ type, implementation: (value: number) => int(Math.abs(value)) }),
  bigint: (type) => ({ type, implementation: (value: bigint) => inRange(value < 0n ? -value : value, 'bigint') }),
  double: (type) => ({ type, implementation: Math.abs }),
  decimal: (type) => ({
    type,
    implementation: ({ unscaled, scale }: Decimal): Decimal => ({
      unscaled: unscaled < 0n ? -unscaled : unscaled,
      scale,
    }),
  }),
};

/** FLOOR: a bigint, or a decimal without digits after the point. */
export const FLOOR: ByType = wholeNumbers(Math.floor, floorOf);

/** CEIL: likewise. */
export const CEILING: ByType = wholeNumbers(
  Math.ceil,
  ({ unscaled, scale }) => -floorOf({ unscaled: -unscaled, scale }),
);

/** ROUND to `digits` after the point (before it, where negative), halves away from zero. A double is rounded as it prints. */
export function rounding(digits: number): ByType {
  return {
    int: (type) => ({
      type,
      implementation: (value: number) => Number(inRange(roundInteger(BigInt(value), digits), 'int')),
    }),
    bigint: (type) => ({ type, implementation: (value: bigint) => inRange(roundInteger(value, digits), 'bigint') }),
    double: (type) => ({ type, implementation: (value: number) => roundDouble(value, digits) }),
    decimal(type) {
      const result = roundedDecimal(type as { precision: number; scale: number }, digits);
      return {
        type: result,
        implementation: (value: Decimal) => rescale(rescale(value, Math.min(digits, value.scale)), result.scale),
      };
    },
  };
}

const BIGINT: Type = { name: 'bigint' };

function wholeNumbers(ofDouble: (value: number) => number, ofDecimal: (value: Decimal) => bigint): ByType {
  return {
    int: () => ({ type: BIGINT, implementation: (value: number) => BigInt(value) }),
    bigint: () => ({ type: BIGINT, implementation: (value: bigint) => value }),
    double: () => ({ type: BIGINT, implementation: (value: number) => wholeBigint(ofDouble(value)) }),
    decimal(type) {
      const { precision, scale } = type as { precision: number; scale: number };
      return {
        type: scale === 0 ? type : boundedDecimal(precision - scale + 1, 0),
        implementation: (value: Decimal): Decimal => ({ unscaled: ofDecimal(value), scale: 0 }),
      };
    },
  };
}

function wholeBigint(value: number): bigint {
  if (!Number.isFinite(value)) throw new ExpressionFailure('OVERFLOW');
  return inRange(BigInt(value), 'bigint');
}

function roundInteger(value: bigint, digits: number): bigint {
  if (digits >= 0) return value;
  const unit = powerOfTen(-digits);
  return divideHalfUp(value, unit) * unit;
}

function roundDouble(value: number, digits: number): number {
  if (Number.isInteger(value) && digits >= 0) return value;
  const exact = Number.isFinite(value) ? decimalFromDouble(value) : undefined;
  return exact === undefined || digits >= exact.scale ? value : decimalToDouble(rescale(exact, digits));
}

function roundedDecimal({ precision, scale }: { precision: number; scale: number }, digits: number) {
  const wholeDigits = precision - scale + 1;
  if (digits < 0) return decimalType(Math.min(Math.max(wholeDigits, 1 - digits), MAXIMUM_PRECISION), 0);
  const kept = Math.min(digits, scale);
  return decimalType(Math.min(wholeDigits + kept, MAXIMUM_PRECISION), kept);
}
