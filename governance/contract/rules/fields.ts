import type { Problems } from '../document/problems.ts';
import type { PlannedField } from '../record/plan.ts';
import type { DerivationPlan } from './derivation.ts';
import type { PropertyModel } from './property-model.ts';

/** Checks the names of source and message fields against one another; returns the source fields in the contract's order. */
export function checkFields(
  properties: readonly PropertyModel[],
  derivations: DerivationPlan,
  message: readonly PlannedField[],
  problems: Problems,
): string[] {
  const mapped = new Map<string, PropertyModel>();
  for (const property of properties) {
    if (property.origin.kind !== 'direct') continue;
    const { field } = property.origin;
    const other = mapped.get(field);
    if (other === undefined) mapped.set(field, property);
    else {
      problems.add(
        property.path,
        `the source field "${field}" is mapped already by ${other.name}; use a transformLogic to use it again`,
      );
    }
  }
  const names = new Set<string>();
  for (const { field, property } of message) {
    const duplicate = names.has(field.name) && property?.origin.kind !== 'direct';
    if (duplicate)
      problems.add(
        property?.path ?? ['schema', 0],
        `the message would have two fields "${field.name}"; rename the property`,
      );
    names.add(field.name);
  }
  return [...mapped.keys(), ...derivations.rawFields.map((field) => field.name)];
}
