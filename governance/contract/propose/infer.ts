import { CQL_TYPES } from '../cql/cql-types.ts';
import type { CqlTypeName, EpochUnit, Spelling } from '../cql/cql-type.ts';
import { Fault } from '../cql/fault.ts';
import { snakeCase } from '../rules/names.ts';
import type { Sample } from './sample.ts';

/** A column of a file, as far as its first rows show. */
export interface InferredColumn {
  readonly field: string;
  /** Its name in the contract. */
  readonly name: string;
  readonly type: CqlTypeName;
  /** Texts in the sample that stand for no value. */
  readonly nullValues: readonly string[];
  readonly epochUnit: EpochUnit | undefined;
  /** Every row of the sample has a value. */
  readonly complete: boolean;
  /** No value of the sample occurs twice. */
  readonly distinct: boolean;
}

/** Texts that files use for "no value"; a column's own name is another, which joined files leave behind. */
const NO_VALUE_TEXTS: ReadonlySet<string> = new Set([
  '',
  'NA',
  'N/A',
  'n/a',
  'null',
  'NULL',
  'None',
  'nan',
  'NaN',
  '-',
]);

/** Types in the order in which they are tried: the narrower first. Booleans are words here, since 0 and 1 are numbers too. */
const CANDIDATES: readonly CqlTypeName[] = ['boolean', 'bigint', 'double', 'date', 'timestamp'];
const BOOLEAN_WORDS = /^(?:true|false|yes|no)$/i;

const TIME_NAME = /time|date|(?:^|_)(?:ts|at|when)$/i;

/** Epoch numbers that are times between 1973 and 2286, by the unit that makes them so. */
const EPOCH_RANGES: Readonly<Record<EpochUnit, readonly [number, number]>> = {
  s: [1e8, 1e10],
  ms: [1e11, 1e13],
  us: [1e14, 1e16],
};

const PLAIN: Spelling = { epochUnit: 's', format: undefined };

/** Infers name and type of each column from the sample. */
export function inferColumns(sample: Sample): InferredColumn[] {
  const names = new Set<string>();
  return sample.fields.map((field, index) => {
    const name = unused(snakeCase(field), names);
    names.add(name);
    return inferColumn(
      field,
      name,
      sample.rows.map((row) => row[index]),
    );
  });
}

function inferColumn(field: string, name: string, given: readonly unknown[]): InferredColumn {
  const markers = new Set(given.filter((value) => typeof value === 'string' && isMarker(value, field)) as string[]);
  const values = given.filter((value) => value !== null && value !== undefined && !markers.has(value as string));
  const epochUnit = TIME_NAME.test(name) ? epochUnitOf(values) : undefined;
  const type = epochUnit === undefined ? typeOf(values) : 'timestamp';
  // In a column of texts only emptiness is surely no value: "NA" may be Namibia.
  const nullValues = [...markers].filter((marker) => type !== 'text' || marker === '').sort();
  return {
    field,
    name,
    type,
    nullValues,
    epochUnit,
    complete: given.length > 0 && values.length === given.length,
    distinct: new Set(values.map(String)).size === values.length,
  };
}

function isMarker(value: string, field: string): boolean {
  return NO_VALUE_TEXTS.has(value) || value === field;
}

function typeOf(values: readonly unknown[]): CqlTypeName {
  if (values.length === 0) return 'text';
  return CANDIDATES.find((name) => values.every((value) => isOf(name, value))) ?? 'text';
}

function isOf(name: CqlTypeName, value: unknown): boolean {
  if (name === 'boolean' && typeof value === 'string') return BOOLEAN_WORDS.test(value);
  if (name === 'boolean') return typeof value === 'boolean';
  // A number is a time only where its column's name says so.
  if (name === 'timestamp' && (typeof value === 'number' || !/^\d{4}-/.test(String(value)))) return false;
  // Digits with a zero in front are a code, such as a postcode: as a number they would lose it.
  if (name === 'bigint' && typeof value === 'string' && /^[+-]?0\d/.test(value)) return false;
  if (name === 'double' && typeof value === 'string' && /^[+-]?0\d+$/.test(value)) return false;
  return !(CQL_TYPES[name].fromSource(value, PLAIN) instanceof Fault);
}

function epochUnitOf(values: readonly unknown[]): EpochUnit | undefined {
  if (values.length === 0) return undefined;
  return (Object.keys(EPOCH_RANGES) as EpochUnit[]).find((unit) => {
    const [least, most] = EPOCH_RANGES[unit];
    return values.every((value) => {
      const number = CQL_TYPES.double.fromSource(value, PLAIN);
      return typeof number === 'number' && number >= least && number < most;
    });
  });
}

function unused(name: string, names: ReadonlySet<string>): string {
  if (!names.has(name)) return name;
  for (let count = 2; ; count += 1) if (!names.has(`${name}_${count}`)) return `${name}_${count}`;
}
