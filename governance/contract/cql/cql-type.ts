import type { JsonValue } from '../../../core/record.ts';
import type { Decimal } from './decimal.ts';
import type { Fault } from './fault.ts';
import type { Slab } from './slab.ts';
import type { TimeFormat } from './time-format.ts';

export type CqlTypeName = 'double' | 'bigint' | 'int' | 'text' | 'boolean' | 'date' | 'timestamp' | 'decimal';

export type LogicalType = 'string' | 'number' | 'integer' | 'boolean' | 'date' | 'timestamp';

/** Units of an epoch number, with how many of them make a second. */
export const EPOCH_UNITS = { s: 1, ms: 1000, us: 1_000_000 } as const;

export type EpochUnit = keyof typeof EPOCH_UNITS;

/**
 * A value in memory, by CQL type: double and int are numbers; bigint a bigint; text a string; boolean a boolean;
 * date the days, timestamp the milliseconds since the epoch; decimal an exact decimal.
 */
export type CqlValue = string | number | bigint | boolean | Decimal;

/** How one property's source spells its values. */
export interface Spelling {
  readonly epochUnit: EpochUnit;
  readonly format: TimeFormat | undefined;
}

/** Everything about one CQL type. The conversions are pure and never throw: what does not fit gives a fault. */
export interface CqlType<V extends CqlValue = CqlValue> {
  readonly name: CqlTypeName;
  /** Logical types of ODCS that the type can hold; for the first of them it is the default physical type. */
  readonly logicalTypes: readonly LogicalType[];
  /** Reads a value as a source gives it: a text of a CSV file, or a JSON scalar. Never called with null. */
  fromSource(raw: unknown, spelling: Spelling): V | Fault;
  /** The form in which an unsealed source field travels: the source's own value, typed. */
  toMessage(value: V, raw: unknown, spelling: Spelling): JsonValue;
  /** Reads what `toMessage` or `toJson` wrote. */
  fromMessage(json: unknown, spelling: Spelling): V | Fault;
  /** The value as JSON: what a sealed field holds and what a reader sees. Whole numbers of 64 bits and decimals are strings. */
  toJson(value: V): JsonValue;
  /** The one text that stands for this value in keys and in the binding of sealed fields; see vectors.json. */
  canonical(value: V): string;
  /** The value in CQL's native protocol, version 4, section 6. */
  encode(value: V, slab: Slab): Buffer;
  decode(bytes: Buffer): V;
}
