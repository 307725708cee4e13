import type { PropertySummary } from './compiled.ts';
import { OPERATOR_NAMES } from './rules/threshold.ts';
import type { PropertyDocument, QualityDocument } from './document/shape.ts';
import type { RecordPlan } from './record/plan.ts';
import type { PropertyModel } from './rules/property-model.ts';

/** Describes every property for people and for lineage. */
export function propertySummaries(plan: RecordPlan, documents: readonly PropertyDocument[]): PropertySummary[] {
  const nameOfSlot = (slot: number): string =>
    plan.properties[slot]?.name ?? plan.derivations.rawFields.find((field) => field.slot === slot)?.name ?? '';
  return plan.properties.map((property) => ({
    name: property.name,
    column: property.column,
    logicalType: property.logicalType,
    type: property.type.name,
    classification: property.classification,
    sealedAs: property.sealedAs,
    required: property.required,
    key: keyOf(property),
    dataSubject: property.dataSubject,
    ...originOf(plan, property, nameOfSlot),
    checks: checksOf(documents[property.slot]),
  }));
}

function keyOf(property: PropertyModel): PropertySummary['key'] {
  if (property.partitionPosition !== undefined) return 'partition';
  return property.clusteringPosition === undefined ? undefined : 'clustering';
}

function originOf(
  plan: RecordPlan,
  property: PropertyModel,
  nameOfSlot: (slot: number) => string,
): Pick<PropertySummary, 'inputs' | 'derived'> {
  if (property.origin.kind === 'direct') return { inputs: [property.origin.field], derived: undefined };
  const atWorker = plan.derivations.atWorker.find((derivation) => derivation.property === property);
  const derivation = atWorker ?? plan.derivations.atSource.find((candidate) => candidate.property === property);
  return {
    inputs: (derivation?.expression.inputs ?? []).map(nameOfSlot),
    derived: {
      expression: property.origin.expression,
      at: atWorker === undefined ? 'source' : 'worker',
      spark: derivation?.expression.spark ?? '',
      declassified: property.declassified,
    },
  };
}

function checksOf(document: PropertyDocument | undefined): string[] {
  if (document === undefined) return [];
  const options = Object.entries(document.logicalTypeOptions).map(([name, value]) => `${name} ${String(value)}`);
  const rules = document.quality.filter((rule) => rule.type === 'library').map(ruleText);
  return [...(document.required ? ['required'] : []), ...options, ...rules];
}

function ruleText(rule: QualityDocument): string {
  const operator = OPERATOR_NAMES.find((name) => rule[name] !== undefined);
  const threshold = operator === undefined ? '' : ` ${operator} ${String(rule[operator])}`;
  const details = rule.arguments === undefined ? '' : ` of ${JSON.stringify(rule.arguments)}`;
  return `${rule.metric ?? ''}${threshold} (${rule.severity ?? 'error'})${details}`;
}
