const ZERO = 0x30;
const NINE = 0x39;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

/** A number beyond this many digits, or with an exponent beyond this, is refused: it would cost memory, not carry meaning. */
const DIGITS_LIMIT = 1000;

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/**
 * Reads a number in decimal or exponent form (`12`, `-0.5`, `.5`, `3.33E-05`). Undefined for anything else: a decimal comma,
 * `NaN`, `Infinity`, hexadecimal, spaces, empty text, and what does not fit into a double. Negative zero becomes zero,
 * since JSON has no other.
 */
export function parseDouble(text: string): number | undefined {
  // The character set leaves `Number` no form to accept but these two; a scan is several times cheaper than a pattern.
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= ZERO && code <= NINE) continue;
    if (code !== POINT && code !== MINUS && code !== PLUS && code !== UPPER_E && code !== LOWER_E) return undefined;
  }
  if (text.length === 0) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value + 0 : undefined;
}

/** A number's digits: value = unscaled × 10^-scale. */
export interface Digits {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Reads the same forms as `parseDouble`, exactly. Undefined for anything else, and beyond `DIGITS_LIMIT`. */
export function parseDigits(text: string): Digits | undefined {
  if (text.length > DIGITS_LIMIT + 16) return undefined;
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  if (digits.length === 0 || digits.length > DIGITS_LIMIT) return undefined;
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > DIGITS_LIMIT) return undefined;
  const magnitude = BigInt(digits);
  return { unscaled: sign === '-' ? -magnitude : magnitude, scale };
}

/** Reads a whole number exactly, however it is written (`7`, `7.0`, `7E0`); undefined where it is not whole. */
export function parseWhole(text: string): bigint | undefined {
  const digits = parseDigits(text);
  if (digits === undefined) return undefined;
  if (digits.scale <= 0) return digits.unscaled * 10n ** BigInt(-digits.scale);
  const divisor = 10n ** BigInt(digits.scale);
  return digits.unscaled % divisor === 0n ? digits.unscaled / divisor : undefined;
}
