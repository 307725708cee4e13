import type { Classification, SensitiveClass } from '../../../core/classification.ts';
import type { CqlType, CqlValue, LogicalType, Spelling } from '../cql/cql-type.ts';
import type { Fault } from '../cql/fault.ts';
import type { Path } from '../document/problems.ts';

/** A rule on one converted value: a fault, or undefined where the value passes. */
export type ValueRule = (value: CqlValue) => Fault | undefined;

/** A quality rule on one record's property: true where the record breaks it. `raw` is absent for a derived property. */
export interface QualityRule {
  readonly severity: 'error' | 'warning';
  readonly fault: Fault;
  broken(value: CqlValue | null, raw: unknown): boolean;
}

/** One property with everything that the contract says of it, resolved and defaulted. */
export interface PropertyModel {
  readonly path: Path;
  /** Its place among the contract's properties, and its slot when a record is worked on. */
  readonly slot: number;
  readonly name: string;
  readonly column: string;
  readonly type: CqlType;
  readonly logicalType: LogicalType;
  readonly spelling: Spelling;
  readonly classification: Classification;
  readonly sealedAs: SensitiveClass | undefined;
  readonly required: boolean;
  readonly nullValues: ReadonlySet<string>;
  readonly absenceSensitive: boolean;
  readonly dataSubject: boolean;
  readonly declassified: string | undefined;
  readonly origin: Origin;
  /** 0-based order in the key, or undefined: positions in the file may have gaps. */
  readonly partitionPosition: number | undefined;
  readonly clusteringPosition: number | undefined;
  readonly limits: readonly ValueRule[];
  readonly quality: readonly QualityRule[];
}

/** Where a property's value comes from. */
export type Origin =
  | {
      readonly kind: 'direct';
      readonly field: string;
      /** Set where the contract itself names the unit. */ readonly epoch: boolean;
    }
  | {
      readonly kind: 'derived';
      readonly expression: string;
      /** The names that the contract lists for it; without a list any name may be a source field. */
      readonly listed: readonly string[] | undefined;
    };

export function isKey(property: PropertyModel): boolean {
  return property.partitionPosition !== undefined || property.clusteringPosition !== undefined;
}
