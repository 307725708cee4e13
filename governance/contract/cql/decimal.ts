import { parseDigits, type Digits } from './number-text.ts';

/** An exact decimal: unscaled × 10^-scale, in lowest terms (no zeros at the end, no negative scale), so equal values are equal texts. */
export type Decimal = Digits;

/** Brings a decimal to its lowest terms. */
export function decimalOf(unscaled: bigint, scale: number): Decimal {
  if (scale < 0) return { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 };
  let [value, places] = [unscaled, scale];
  while (places > 0 && value % 10n === 0n) {
    value /= 10n;
    places -= 1;
  }
  return { unscaled: value, scale: places };
}

export function parseDecimal(text: string): Decimal | undefined {
  const digits = parseDigits(text);
  return digits === undefined ? undefined : decimalOf(digits.unscaled, digits.scale);
}

/** Plain notation without exponent: `-0.05`, `1200`. */
export function decimalText(value: Decimal): string {
  const negative = value.unscaled < 0n;
  const digits = String(negative ? -value.unscaled : value.unscaled).padStart(value.scale + 1, '0');
  const whole = digits.slice(0, digits.length - value.scale);
  const fraction = value.scale === 0 ? '' : `.${digits.slice(digits.length - value.scale)}`;
  return `${negative ? '-' : ''}${whole}${fraction}`;
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const left = a.unscaled * 10n ** BigInt(scale - a.scale);
  const right = b.unscaled * 10n ** BigInt(scale - b.scale);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** True where `value` is a whole number of times `step`. */
export function isMultipleOf(value: Decimal, step: Decimal): boolean {
  const scale = Math.max(value.scale, step.scale);
  return (
    (value.unscaled * 10n ** BigInt(scale - value.scale)) % (step.unscaled * 10n ** BigInt(scale - step.scale)) === 0n
  );
}

/** The shortest two's complement form, big-endian: CQL's `varint` (native protocol v4, section 6). */
export function varintBytes(value: bigint): Buffer {
  let bytes = 1;
  while (BigInt.asIntN(bytes * 8, value) !== value) bytes += 1;
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0');
  return Buffer.from(hex, 'hex');
}

export function varintValue(bytes: Uint8Array): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`));
}
