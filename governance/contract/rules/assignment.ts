import type { CqlTypeName, CqlValue } from '../cql/cql-type.ts';
import { inRange } from '../cql/calendar.ts';
import { decimalOf, decimalText, parseDecimal } from '../cql/decimal.ts';
import { Fault } from '../cql/fault.ts';
import type { SqlType, SqlValue } from '../../expression/index.ts';

type Widen = (value: Exclude<SqlValue, null>) => CqlValue | Fault;

const NOT_FINITE = new Fault('EXPRESSION_FAILED', 'the result is no finite number');
const NOT_TEXT = new Fault('EXPRESSION_FAILED', 'the result has a lone surrogate, which has no UTF-8 form');

const OUT_OF_RANGE = new Fault('EXPRESSION_FAILED', 'the result lies outside the years 0001 to 9999');
const MILLISECONDS_PER_DAY = 86_400_000;

const asGiven: Widen = (value) => value;
const finite: Widen = (value) => (typeof value === 'number' && Number.isFinite(value) ? value + 0 : NOT_FINITE);

/**
 * What an expression of one type may become without a CAST: its own type, or a wider number. Rows are what the expression
 * gives, columns what the property is.
 */
const WIDENINGS: Readonly<Partial<Record<SqlType, Partial<Record<CqlTypeName, Widen>>>>> = {
  text: { text: (value) => (typeof value === 'string' && !value.isWellFormed() ? NOT_TEXT : value) },
  boolean: { boolean: asGiven },
  date: { date: (value) => (inRange(Number(value) * MILLISECONDS_PER_DAY) ? value : OUT_OF_RANGE) },
  timestamp: { timestamp: (value) => (inRange(Number(value)) ? value : OUT_OF_RANGE) },
  double: { double: finite },
  int: {
    int: asGiven,
    bigint: (value) => BigInt(value as number),
    decimal: (value) => decimalOf(BigInt(value as number), 0),
    double: finite,
  },
  bigint: {
    bigint: asGiven,
    decimal: (value) => decimalOf(value as bigint, 0),
    double: (value) => Number(value),
  },
  decimal: {
    decimal: (value) => normalised(value),
    double: (value) => (typeof value === 'object' ? Number(decimalText(value)) : NOT_FINITE),
  },
};

/** True where the expression's type fits the property's without a CAST. A bare NULL fits all. */
export function canBecome(from: SqlType, to: CqlTypeName): boolean {
  return from === 'null' || WIDENINGS[from]?.[to] !== undefined;
}

/** The conversion itself, for types that `canBecome` accepts. */
export function assignment(from: SqlType, to: CqlTypeName): Widen {
  return WIDENINGS[from]?.[to] ?? asGiven;
}

function normalised(value: Exclude<SqlValue, null>): CqlValue | Fault {
  return typeof value === 'object'
    ? decimalOf(value.unscaled, value.scale)
    : (parseDecimal(String(value)) ?? NOT_FINITE);
}
