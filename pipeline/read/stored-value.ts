import { WardlineError } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import type { Column, CompiledContract } from '../../governance/contract/compiled.ts';
import { CQL_TYPES } from '../../governance/contract/cql/cql-types.ts';
import type { CqlValue } from '../../governance/contract/cql/cql-type.ts';
import { Slab } from '../../governance/contract/cql/slab.ts';
import { Fault } from '../../governance/contract/cql/fault.ts';

const SPELLING = { epochUnit: 'ms', format: undefined } as const;

/** A value as cassandra-driver returns it, as the contract's types know it; null stays null. */
function valueOf(column: Column, stored: unknown): CqlValue | null {
  if (stored === null || stored === undefined) return null;
  // The driver's classes for dates, 64-bit integers and decimals all print the text that the types read.
  const json = stored instanceof Date ? stored.toISOString() : typeof stored === 'object' ? printed(stored) : stored;
  const value = CQL_TYPES[column.storedType].fromMessage(json, SPELLING);
  if (value instanceof Fault) throw new TypeError(`column ${column.name} holds what is no ${column.storedType}`);
  return value;
}

/** A value that a user wrote, such as a data subject's id, as a bound value of a column. Throws USAGE where it is no such value. */
export function boundValue(column: Column, text: string): Buffer {
  const type = CQL_TYPES[column.storedType];
  const value = type.fromSource(text, SPELLING);
  if (value instanceof Fault) {
    throw new WardlineError('USAGE', `${column.name} is a ${column.storedType}, and ${text} is not`, {
      hint: value.detail,
    });
  }
  return type.encode(value, new Slab());
}

/** A stored value as JSON, as readers see it. */
export function storedJson(column: Column, stored: unknown): JsonValue {
  const value = valueOf(column, stored);
  return value === null ? null : CQL_TYPES[column.storedType].toJson(value);
}

/** Returns a function that gives a row's key: canonical texts of its partition and clustering values, in order. */
export function storedKey(contract: CompiledContract): (get: (column: string) => unknown) => string[] {
  const { columns, partitionKey, clusteringKey } = contract.table;
  const key = [...partitionKey, ...clusteringKey]
    .map((name) => columns.find((column) => column.name === name))
    .filter((column) => column !== undefined);
  return (get) =>
    key.map((column) => {
      const value = valueOf(column, get(column.name));
      return value === null ? '' : CQL_TYPES[column.storedType].canonical(value);
    });
}

function printed(value: object): string {
  // Every class of the driver has a text form of its own.
  return (value as { toString(this: object): string }).toString();
}
