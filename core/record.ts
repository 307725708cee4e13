import type { DeadLetterCode } from './errors/dead-letter-codes.ts';

/**
 * A record passes through four states, each a type of its own, so that a wrong order does not compile:
 * `Raw` (as read) → `Checked` (fits the contract) → `Sealed` (sensitive values encrypted) → `Row` (ready to store).
 * A state cannot be written down by hand: each is given by one function here, which one stage alone calls.
 */
declare const state: unique symbol;

interface InState<Name extends string> {
  readonly [state]: Name;
}

/** A value as JSON has it. 64-bit integers and decimals travel as strings, so that no reader loses a digit. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** One reading as the source gave it: `values[i]` belongs to the i-th source field of the contract; undefined where the input has none. */
export interface Raw {
  readonly values: readonly unknown[];
  /** Where the record stands in its source (1-based row or line), for resuming and for dead letters. */
  readonly position: number;
}

interface CheckedFields {
  /** Clear values, aligned with the contract's message fields; that of a sealed field is the property's converted value. */
  readonly values: readonly JsonValue[];
  /** Canonical text of the partition values, then the clustering values: what a sealed field is bound to. */
  readonly key: readonly string[];
  /** The person or household the record is about. */
  readonly subject: string;
  /** Properties that break a quality rule of severity `warning`. */
  readonly warnings: readonly string[];
}

/** A record that fits the contract. Sensitive values are still in clear: it never leaves the source process. */
export type Checked = CheckedFields & InState<'checked'>;

/** Given by the contract's check. */
export function asChecked<const Fields extends CheckedFields>(fields: Fields): Fields & Checked {
  return fields as Fields & Checked;
}

interface SealedFields {
  /** The record's partition values. */
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 over key and value: the content of the record's leaf in a window's Merkle tree. */
  readonly digest: Buffer;
  /** Bytes of key and value. */
  readonly size: number;
}

/** A record as Kafka carries it: no sensitive value in clear, authenticated by a MAC. */
export type Sealed = SealedFields & InState<'sealed'>;

/** Given by the seal stage. */
export function asSealed(fields: SealedFields): Sealed {
  return fields as Sealed;
}

/**
 * A value as the Cassandra driver is given it for a prepared statement: texts, doubles, 32-bit integers and booleans as
 * they are, since the driver encodes these best at the last moment; every other type encoded (CQL binary protocol).
 */
export type BoundValue = Buffer | string | number | boolean | null;

interface RowFields {
  /** Aligned with the columns of the contract's table. */
  readonly values: readonly BoundValue[];
  /** Names the Cassandra partition: rows of one partition may share a batch. */
  readonly partitionKey: string;
  /** Strictly increasing microseconds since the epoch, given by the source and kept by every replay. */
  readonly writeTimestamp: bigint;
  /** Where the record stands on its Kafka partition. */
  readonly offset: bigint;
}

/** A record ready to store. */
export type Row = RowFields & InState<'row'>;

/** Given by the transform stage. */
export function asRow(fields: RowFields): Row {
  return fields as Row;
}

/** A record that cannot pass, and why. `property` names the place; the offending value itself is never repeated. */
export interface Rejection {
  readonly code: DeadLetterCode;
  readonly property?: string;
  readonly detail: string;
}
