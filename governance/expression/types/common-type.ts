import { boundedDecimal, decimalType, type DecimalType, type SqlType, type Type } from './type.ts';

/** Numeric types, narrowest first; a decimal stands between the integers and double. */
const NUMERIC: readonly SqlType[] = ['int', 'bigint', 'decimal', 'double'];

/** What text becomes beside each type, when both must have one type. */
const TEXT_BESIDE: Readonly<Partial<Record<SqlType, Exclude<SqlType, 'decimal'>>>> = {
  text: 'text',
  null: 'text',
  int: 'bigint',
  bigint: 'bigint',
  decimal: 'double',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
};

export function isNumeric(type: Type): boolean {
  return NUMERIC.includes(type.name);
}

/** The decimal type that holds every value of an integer type. */
export function decimalOf(type: Type): DecimalType {
  if (type.name === 'decimal') return type;
  return type.name === 'int' ? decimalType(10, 0) : decimalType(20, 0);
}

/** The narrowest type that holds both, text excepted: numbers widen, a date becomes a timestamp, NULL becomes anything. */
export function widerType(a: Type, b: Type): Type | undefined {
  if (a.name === 'null') return b;
  if (b.name === 'null') return a;
  if (isNumeric(a) && isNumeric(b)) {
    if (a.name === 'double' || b.name === 'double') return { name: 'double' };
    if (a.name === 'decimal' || b.name === 'decimal') return widerDecimal(decimalOf(a), decimalOf(b));
    return a.name === 'bigint' || b.name === 'bigint' ? { name: 'bigint' } : { name: 'int' };
  }
  if (a.name === b.name) return a;
  const names = [a.name, b.name];
  return names.includes('date') && names.includes('timestamp') ? { name: 'timestamp' } : undefined;
}

/** As `widerType`, and text takes the type of what stands beside it (an integer makes it bigint, any other number double). */
export function commonType(a: Type, b: Type): Type | undefined {
  if (a.name !== 'text' && b.name !== 'text') return widerType(a, b);
  const name = TEXT_BESIDE[a.name === 'text' ? b.name : a.name];
  return name === undefined ? undefined : { name };
}

/** One type for all, found from the left. */
export function foldTypes(
  types: readonly Type[],
  pair: (a: Type, b: Type) => Type | undefined = commonType,
): Type | undefined {
  return types.reduce<Type | undefined>((found, type) => (found === undefined ? undefined : pair(found, type)), {
    name: 'null',
  });
}

function widerDecimal(a: DecimalType, b: DecimalType): DecimalType {
  const scale = Math.max(a.scale, b.scale);
  return boundedDecimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale, scale);
}
