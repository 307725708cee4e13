import type { Decimal } from './type.ts';

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** Longer numbers are refused: no decimal type holds them, and reading them would cost time. */
const LONGEST_NUMBER = 1000;

/** Reads `-12.50` or `1.25e3` exactly; undefined where the text is no number or has more than 1,000 digits written out. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > LONGEST_NUMBER) return undefined;
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const unscaled = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
  const scale = fraction.length - Number(exponent);
  if (unscaled === 0n) return { unscaled, scale: Math.min(Math.max(scale, 0), LONGEST_NUMBER) };
  if (Math.abs(scale) > LONGEST_NUMBER) return undefined;
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * powerOfTen(-scale), scale: 0 };
}

/** The decimal that a finite double prints as: the shortest one that reads back as the same double. */
export function decimalFromDouble(value: number): Decimal | undefined {
  return parseDecimal(String(value));
}

/** Plain notation with as many digits after the point as the scale says. */
export function decimalText(value: Decimal): string {
  const negative = value.unscaled < 0n;
  const digits = (negative ? -value.unscaled : value.unscaled).toString().padStart(value.scale + 1, '0');
  const point = digits.length - value.scale;
  const text = value.scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return negative ? `-${text}` : text;
}

/** The nearest double. */
export function decimalToDouble(value: Decimal): number {
  return Number(decimalText(value));
}

export function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** `dividend` ÷ `divisor` to the nearest integer, halves away from zero. */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  if (twice < (divisor < 0n ? -divisor : divisor)) return quotient;
  return quotient + (dividend < 0n === divisor < 0n ? 1n : -1n);
}

/** The same number with `scale` digits after the point, halves rounded away from zero; a negative scale rounds to tens, hundreds, … */
export function rescale(value: Decimal, scale: number): Decimal {
  if (scale === value.scale) return value;
  if (scale > value.scale) return { unscaled: value.unscaled * powerOfTen(scale - value.scale), scale };
  const rounded = divideHalfUp(value.unscaled, powerOfTen(value.scale - scale));
  return scale >= 0 ? { unscaled: rounded, scale } : { unscaled: rounded * powerOfTen(-scale), scale: 0 };
}

/** The greatest integer that is not above the number. */
export function floorOf(value: Decimal): bigint {
  const unit = powerOfTen(value.scale);
  const whole = value.unscaled / unit;
  return value.unscaled < 0n && value.unscaled % unit !== 0n ? whole - 1n : whole;
}

/** Negative, zero or positive, as a − b is. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Both numbers as multiples of the same power of ten. */
export function aligned(a: Decimal, b: Decimal): readonly [left: bigint, right: bigint, scale: number] {
  if (a.scale === b.scale) return [a.unscaled, b.unscaled, a.scale];
  return a.scale > b.scale
    ? [a.unscaled, b.unscaled * powerOfTen(a.scale - b.scale), a.scale]
    : [a.unscaled * powerOfTen(b.scale - a.scale), b.unscaled, b.scale];
}

/** Whether the number has no more than `precision` digits. */
export function hasAtMostDigits(value: Decimal, precision: number): boolean {
  const limit = powerOfTen(precision);
  return value.unscaled < limit && value.unscaled > -limit;
}
