import type { MessageField } from '../compiled.ts';
import type { DerivationPlan } from '../rules/derivation.ts';
import type { PropertyModel } from '../rules/property-model.ts';
import type { Keys } from '../rules/table.ts';

/** Everything about a contract's records that both sides work from. */
export interface RecordPlan {
  readonly properties: readonly PropertyModel[];
  readonly keys: Keys;
  readonly derivations: DerivationPlan;
  readonly sourceFields: readonly string[];
  readonly message: readonly PlannedField[];
  /** The subject of records where no property is the dataSubject. */
  readonly contractSubject: string;
}

/** A field of the message, and the slot that it comes from and goes to. */
export interface PlannedField {
  readonly field: MessageField;
  readonly slot: number;
  readonly property: PropertyModel | undefined;
}

/** The fields of a message: direct properties and those derived at the source, in the contract's order, then raw fields. */
export function messagePlan(properties: readonly PropertyModel[], derivations: DerivationPlan): PlannedField[] {
  const atWorker = new Set(derivations.atWorker.map(({ property }) => property.slot));
  const ofProperties = properties
    .filter((property) => property.origin.kind === 'direct' || !atWorker.has(property.slot))
    .map((property): PlannedField => ({
      slot: property.slot,
      property,
      field: {
        name: property.origin.kind === 'direct' ? property.origin.field : property.name,
        property: property.name,
        classification: property.classification,
        sealedAs: property.sealedAs,
        absenceSensitive: property.absenceSensitive,
      },
    }));
  const usedByWorker = new Set(derivations.atWorker.flatMap(({ expression }) => expression.inputs));
  const ofRawFields = derivations.rawFields
    .filter((field) => usedByWorker.has(field.slot))
    .map((field): PlannedField => ({
      slot: field.slot,
      property: undefined,
      field: {
        name: field.name,
        property: field.name,
        classification: field.classification,
        sealedAs: undefined,
        absenceSensitive: false,
      },
    }));
  return [...ofProperties, ...ofRawFields];
}
