import { ExpressionFailure } from '../failure.ts';
import {
  LARGEST_TIMESTAMP,
  MILLISECONDS_PER_DAY,
  dateText,
  dayOf,
  parseDate,
  parseTimestamp,
  timestampText,
} from './calendar.ts';
import {
  decimalFromDouble,
  decimalText,
  decimalToDouble,
  floorOf,
  hasAtMostDigits,
  parseDecimal,
  rescale,
} from './decimal.ts';
import { doubleText, parseDouble, parseInteger } from './number-text.ts';
import type { Decimal, DecimalType, SqlType, SqlValue, Type, ValueOf } from './type.ts';

type Cast = (value: Exclude<SqlValue, null>) => SqlValue;

/** One row a source type, one entry a target type; what is absent is refused when the expression is compiled. */
type Casts = {
  readonly [From in Exclude<SqlType, 'null'>]: {
    readonly [To in Exclude<SqlType, 'decimal' | 'null'>]?: (value: ValueOf[From]) => ValueOf[To];
  } & { readonly decimal?: (value: ValueOf[From], to: DecimalType) => Decimal };
};

const CASTS: Casts = {
  text: {
    text: (value) => value,
    double: (value) => orFail(parseDouble(trimmed(value))),
    int: (value) => Number(within(orFail(parseInteger(trimmed(value))), INT, 'CAST_FAILED')),
    bigint: (value) => within(orFail(parseInteger(trimmed(value))), BIGINT, 'CAST_FAILED'),
    decimal: (value, to) => fitted(orFail(parseDecimal(trimmed(value))), to),
    boolean: (value) => orFail(TRUTH.get(trimmed(value).toLowerCase())),
    date: (value) => orFail(parseDate(trimmed(value))),
    timestamp: (value) => orFail(parseTimestamp(trimmed(value))),
  },
  double: {
    text: doubleText,
    double: (value) => value,
    int: (value) => Number(within(truncated(value), INT)),
    bigint: doubleToBigint,
    decimal: (value, to) => fitted(orFail(decimalFromDouble(value)), to),
    boolean: (value) => value !== 0,
    timestamp: (value) => moment(Math.floor(Math.trunc(value * 1e6) / 1000)),
  },
  int: {
    text: String,
    double: (value) => value,
    int: (value) => value,
    bigint: BigInt,
    decimal: (value, to) => fitted({ unscaled: BigInt(value), scale: 0 }, to),
    boolean: (value) => value !== 0,
    timestamp: (value) => moment(value * 1000),
  },
  bigint: {
    text: String,
    double: Number,
    int: (value) => Number(within(value, INT)),
    bigint: (value) => value,
    decimal: (value, to) => fitted({ unscaled: value, scale: 0 }, to),
    boolean: (value) => value !== 0n,
    timestamp: (value) => moment(Number(value) * 1000),
  },
  decimal: {
    text: decimalText,
    double: decimalToDouble,
    int: (value) => Number(within(wholePart(value), INT)),
    bigint: (value) => within(wholePart(value), BIGINT),
    decimal: fitted,
    boolean: (value) => value.unscaled !== 0n,
    timestamp: (value) => moment(Number(floorOf({ unscaled: value.unscaled * 1000n, scale: value.scale }))),
  },
  boolean: {
    text: String,
    double: Number,
    int: Number,
    bigint: BigInt,
    decimal: (value, to) => fitted({ unscaled: value ? 1n : 0n, scale: 0 }, to),
    boolean: (value) => value,
  },
  date: {
    text: dateText,
    date: (value) => value,
    timestamp: (value) => moment(value * MILLISECONDS_PER_DAY),
  },
  timestamp: {
    text: timestampText,
    double: (value) => value / 1000,
    int: (value) => Number(within(BigInt(Math.floor(value / 1000)), INT)),
    bigint: (value) => BigInt(Math.floor(value / 1000)),
    decimal: (value, to) => fitted({ unscaled: BigInt(value), scale: 3 }, to),
    date: dayOf,
    timestamp: (value) => value,
  },
};

const TRUTH: ReadonlyMap<string, boolean> = new Map([
  ...['t', 'true', 'y', 'yes', '1'].map((word) => [word, true] as const),
  ...['f', 'false', 'n', 'no', '0'].map((word) => [word, false] as const),
]);

/** A decimal from outside may claim any scale; moving its point further than this would cost memory, for a result of zero or none. */
const LARGEST_SCALE = 1000;

interface Range {
  readonly least: bigint;
  readonly most: bigint;
}
const INT: Range = { least: -(2n ** 31n), most: 2n ** 31n - 1n };
const BIGINT: Range = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
const RANGES: Readonly<Record<'int' | 'bigint', Range>> = { int: INT, bigint: BIGINT };

/**
 * The function that casts values (nulls excepted) from one type to another, by the rules of Spark SQL in ANSI mode; undefined where
 * there is no such cast. The function throws an ExpressionFailure on a value that the target type cannot hold.
 */
export function castBetween(from: Type, to: Type): Cast | undefined {
  if (from.name === 'null') return () => null;
  if (to.name === 'null') return undefined;
  const row = CASTS[from.name] as Readonly<Partial<Record<SqlType, (value: never, to: Type) => SqlValue>>>;
  const cast = row[to.name] as ((value: SqlValue, to: Type) => SqlValue) | undefined;
  return cast === undefined ? undefined : (value) => cast(value, to);
}

/** The value, or OVERFLOW where an integer type cannot hold it. */
export function inRange(value: bigint, type: 'int' | 'bigint'): bigint {
  return within(value, RANGES[type]);
}

/** The decimal with the type's scale, halves rounded up, or OVERFLOW where it has too many digits. */
export function fitted(value: Decimal, type: DecimalType): Decimal {
  if (Math.abs(value.scale) > LARGEST_SCALE) throw new ExpressionFailure('OVERFLOW');
  const scaled = rescale(value, type.scale);
  if (!hasAtMostDigits(scaled, type.precision)) throw new ExpressionFailure('OVERFLOW');
  return scaled;
}

function within(value: bigint, range: Range, reason: 'OVERFLOW' | 'CAST_FAILED' = 'OVERFLOW'): bigint {
  if (value < range.least || value > range.most) throw new ExpressionFailure(reason);
  return value;
}

function orFail<T>(value: T | undefined): T {
  if (value === undefined) throw new ExpressionFailure('CAST_FAILED');
  return value;
}

function truncated(value: number): bigint {
  if (!Number.isFinite(value)) throw new ExpressionFailure('OVERFLOW');
  return BigInt(Math.trunc(value));
}

/** 2^63 itself, which is what the largest 64-bit integer becomes as a double, counts as that integer. */
function doubleToBigint(value: number): bigint {
  return value === 2 ** 63 ? BIGINT.most : within(truncated(value), BIGINT);
}

function wholePart(value: Decimal): bigint {
  return value.unscaled / 10n ** BigInt(value.scale);
}

function moment(milliseconds: number): number {
  if (!(Math.abs(milliseconds) <= LARGEST_TIMESTAMP)) throw new ExpressionFailure('OVERFLOW');
  // Adding zero turns −0 into 0.
  return milliseconds + 0;
}

/** Without spaces and control characters at both ends, which a cast from text ignores. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpaceOrControl(text.charCodeAt(start))) start += 1;
  while (end > start && isSpaceOrControl(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpaceOrControl(unit: number): boolean {
  return unit <= 0x20 || unit === 0x7f;
}
