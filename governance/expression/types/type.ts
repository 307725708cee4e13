/** The types that an expression's values have. `null` is the type of a bare NULL: it becomes any other. */
export type SqlType = 'text' | 'double' | 'bigint' | 'int' | 'decimal' | 'boolean' | 'date' | 'timestamp' | 'null';

/** An exact decimal: `unscaled` × 10^−`scale`. */
export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** The JavaScript value of each type. */
export interface ValueOf {
  readonly text: string;
  readonly double: number;
  /** 32 bits, signed. */
  readonly int: number;
  /** 64 bits, signed. */
  readonly bigint: bigint;
  readonly decimal: Decimal;
  readonly boolean: boolean;
  /** Days since 1970-01-01, proleptic Gregorian. */
  readonly date: number;
  /** Whole milliseconds since 1970-01-01T00:00:00Z: what a CQL timestamp holds. */
  readonly timestamp: number;
  readonly null: null;
}

export type SqlValue = ValueOf[SqlType];

/** A type as Spark SQL has it: a decimal carries its precision (digits in all) and scale (digits after the point). */
export type Type =
  | { readonly name: Exclude<SqlType, 'decimal'> }
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number };

export type DecimalType = Extract<Type, { name: 'decimal' }>;

/** The most digits that a decimal has. */
export const MAXIMUM_PRECISION = 38;
/** Digits after the point that a too precise result keeps at least. */
const MINIMUM_ADJUSTED_SCALE = 6;

export function decimalType(precision: number, scale: number): DecimalType {
  return { name: 'decimal', precision, scale };
}

/** The decimal type of a CQL decimal column, which has no limits of its own. */
export const COLUMN_DECIMAL = decimalType(MAXIMUM_PRECISION, 18);

/** A decimal type cut to 38 digits, digits after the point going first, but no further than six. */
export function adjustedDecimal(precision: number, scale: number): DecimalType {
  if (precision <= MAXIMUM_PRECISION) return decimalType(precision, scale);
  const integerDigits = precision - scale;
  const kept = Math.min(scale, MINIMUM_ADJUSTED_SCALE);
  return decimalType(MAXIMUM_PRECISION, Math.max(MAXIMUM_PRECISION - integerDigits, kept));
}

/** A decimal type cut to 38 digits from the left. */
export function boundedDecimal(precision: number, scale: number): DecimalType {
  return decimalType(Math.min(precision, MAXIMUM_PRECISION), Math.min(scale, MAXIMUM_PRECISION));
}

export function sameType(a: Type, b: Type): boolean {
  if (a.name !== 'decimal' || b.name !== 'decimal') return a.name === b.name;
  return a.precision === b.precision && a.scale === b.scale;
}

/** How a type is called in error messages and in Spark SQL. */
export function typeName(type: Type): string {
  if (type.name === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`;
  return type.name === 'text' ? 'STRING' : type.name.toUpperCase();
}
