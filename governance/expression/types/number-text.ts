/** Numbers as Spark SQL reads them from text and writes them to text. */

const INTEGER = /^[+-]?\d{1,40}$/;
const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NAMED_DOUBLE: ReadonlyMap<string, number> = new Map([
  ['nan', NaN],
  ...['inf', '+inf', 'infinity', '+infinity'].map((name) => [name, Infinity] as const),
  ...['-inf', '-infinity'].map((name) => [name, -Infinity] as const),
]);
/** Between these a double is written without an exponent. */
const PLAIN_FROM = 1e-3;
const PLAIN_BELOW = 1e7;

/** A whole number in decimal digits, or undefined. */
export function parseInteger(text: string): bigint | undefined {
  return INTEGER.test(text) ? BigInt(text.startsWith('+') ? text.slice(1) : text) : undefined;
}

/** A double in decimal or exponent form, or `NaN`, `Infinity`, `inf` in any case; undefined otherwise. */
export function parseDouble(text: string): number | undefined {
  return DOUBLE.test(text) ? Number(text) : NAMED_DOUBLE.get(text.toLowerCase());
}

/** `1.0`, `0.001`, `1.0E7`: the shortest digits that read back as the same double, always with a point. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude >= PLAIN_FROM && magnitude < PLAIN_BELOW) {
    const plain = String(value);
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
}
