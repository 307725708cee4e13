import type { Classification, SensitiveClass } from '../../core/classification.ts';
import type { BoundValue, Checked, JsonValue, Raw, Rejection } from '../../core/record.ts';
import type { CqlTypeName } from './cql/cql-type.ts';
import type { WindowRule } from './rules/quality.ts';

/** A contract as every stage uses it: compiled once, immutable, its functions pure. */
export interface CompiledContract {
  readonly id: string;
  readonly version: string;
  readonly status: string;
  /** Lower-case hex SHA-256 of the canonical JSON of the document: names the exact contract in audit events. */
  readonly hash: string;
  /** The fields that a source must give, spelled as the source spells them, in the order of `Raw.values`. */
  readonly sourceFields: readonly string[];
  /** The contract's own default source, where it names one; its path as the contract spells it. */
  readonly defaultSource: { readonly path: string; readonly format: 'csv' | 'jsonl' } | undefined;
  /** The fields of a Kafka message, in the order of `Checked.values`. */
  readonly messageFields: readonly MessageField[];
  readonly topic: {
    readonly name: string;
    readonly deadLetterName: string;
    readonly retentionMilliseconds: number | undefined;
  };
  readonly table: TablePlan;
  /** Every property as the contract has it, in its order: for people, lineage and redaction. */
  readonly properties: readonly PropertySummary[];
  /** Name of the property that says whom a record is about; without one the whole contract is one subject. */
  readonly dataSubject: string | undefined;
  /** Quality rules of the table, each an alarm over a window of records. */
  readonly windowRules: readonly WindowRule[];
  /** How long a row lives, counted from its write timestamp. */
  readonly retentionSeconds: number | undefined;
  /** Alarm threshold for source accepted → row readable. */
  readonly latencySeconds: number | undefined;
  /** The sensitive classes that occur, so that only their keys are made. */
  readonly sensitiveClasses: readonly SensitiveClass[];
  /** The record's own time, where a timestamp property is part of its key: what `--speed` and `--time-step` work on. */
  readonly time:
    | { readonly sourceField: number; read(value: unknown): number | undefined; write(milliseconds: number): JsonValue }
    | undefined;
  readonly roles: readonly RolePolicy[];
  /** Paths of ODCS keys in the document that Wardline does not enforce. */
  readonly notEnforced: readonly string[];
  /** Source side: checks and converts one record, evaluates what must be evaluated in clear. Never throws. */
  check(raw: Raw): CheckOutcome;
  /** Worker side: from a parsed message to bound column values. Sealed fields pass through unopened. Never throws. */
  toRow(message: Readonly<Record<string, unknown>>): RowOutcome;
}

/** One field of a Kafka message. */
export interface MessageField {
  /** Its name in the message: the source's field name, or the property's own where it was derived at the source. */
  readonly name: string;
  readonly property: string;
  readonly classification: Classification;
  /** Set for a sensitive field: it travels as a JWE, or as null where absence is not sensitive. */
  readonly sealedAs: SensitiveClass | undefined;
  readonly absenceSensitive: boolean;
}

export interface TablePlan {
  readonly keyspace: string;
  readonly name: string;
  /** Contract columns in the contract's order. The columns that Wardline adds for provenance are `PROVENANCE_COLUMNS`. */
  readonly columns: readonly Column[];
  readonly partitionKey: readonly string[];
  readonly clusteringKey: readonly string[];
}

export interface Column {
  readonly name: string;
  readonly property: string;
  /** Type of the clear value. */
  readonly valueType: CqlTypeName;
  /** Type of the column: `text` for a sealed property. */
  readonly storedType: CqlTypeName;
  readonly classification: Classification;
  readonly sealedAs: SensitiveClass | undefined;
}

/** Columns after the contract's own: where the row's record stands on the topic. `wardline_` is a reserved prefix. */
export const PROVENANCE_COLUMNS = [
  { name: 'wardline_incarnation', type: 'text' },
  { name: 'wardline_partition', type: 'int' },
  { name: 'wardline_offset', type: 'bigint' },
] as const;

export interface PropertySummary {
  readonly name: string;
  readonly column: string;
  readonly logicalType: string;
  readonly type: CqlTypeName;
  readonly classification: Classification;
  readonly sealedAs: SensitiveClass | undefined;
  readonly required: boolean;
  readonly key: 'partition' | 'clustering' | undefined;
  readonly dataSubject: boolean;
  /** Source fields and properties that it comes from. */
  readonly inputs: readonly string[];
  /** Set for a derived property: what computes it, where, and the same expression for Spark SQL. */
  readonly derived:
    | {
        readonly expression: string;
        readonly at: 'source' | 'worker';
        readonly spark: string;
        readonly declassified: string | undefined;
      }
    | undefined;
  /** What each record is held to, in words. */
  readonly checks: readonly string[];
}

export interface RolePolicy {
  /** A principal's name. */
  readonly role: string;
  readonly access: 'read' | 'write';
  readonly opens: readonly SensitiveClass[];
  readonly purposes: readonly string[];
}

export type CheckOutcome =
  | (Checked & { readonly ok: true })
  | {
      readonly ok: false;
      readonly rejection: Rejection;
      /** Where it could be read all the same. */
      readonly subject: string | undefined;
    };

export type RowOutcome =
  | {
      readonly ok: true;
      /** Aligned with `table.columns`. */
      readonly values: readonly BoundValue[];
      readonly key: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly rejection: Rejection };
