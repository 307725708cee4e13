import { isSensitive, strongest, type Classification } from '../../../core/classification.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { compileExpression, type CompiledExpression } from '../../expression/index.ts';
import type { Problems } from '../document/problems.ts';
import { canBecome } from './assignment.ts';
import { isKey, type PropertyModel } from './property-model.ts';
import { createResolver, type RawField } from './resolver.ts';

/** A derived property with its expression, over slots: properties first, then raw fields. */
export interface Derivation {
  readonly property: PropertyModel;
  readonly expression: CompiledExpression;
}

/** How a record's values come about, in the order in which they can be computed. */
export interface DerivationPlan {
  /** Source fields that expressions read and no property maps: slots after those of the properties. */
  readonly rawFields: readonly (RawField & { readonly classification: Classification })[];
  /** What the source computes: all that is sensitive, and what key and data subject need. */
  readonly atSource: readonly Derivation[];
  /** What the worker computes. */
  readonly atWorker: readonly Derivation[];
}

/** Compiles the expressions, orders them, and decides where each runs. */
export function planDerivations(properties: readonly PropertyModel[], problems: Problems): DerivationPlan {
  const resolver = createResolver(properties);
  const derivations = properties.flatMap((property): Derivation[] => {
    if (property.origin.kind === 'direct') return [];
    const expression = compile(property, property.origin.expression, resolver.scopeOf(property), problems);
    return expression === undefined ? [] : [{ property, expression }];
  });
  const rawFields = resolver.rawFields().map((field) => ({ ...field, classification: classOfRaw(field, derivations) }));
  const classOf = (slot: number): Classification =>
    properties[slot]?.classification ?? rawFields.find((field) => field.slot === slot)?.classification ?? 'restricted';

  for (const derivation of derivations) checkClass(derivation, classOf, problems);
  const order = inOrder(derivations, problems);
  const sensitive = new Set(
    order
      .filter(
        ({ property, expression }) =>
          property.sealedAs !== undefined || expression.inputs.some((slot) => isSensitive(classOf(slot))),
      )
      .map(({ property }) => property.slot),
  );
  const needed = neededBySource(order, sensitive);
  return {
    rawFields,
    atSource: order.filter(({ property }) => sensitive.has(property.slot) || needed.has(property.slot)),
    atWorker: order.filter(({ property }) => !sensitive.has(property.slot)),
  };
}

function compile(
  property: PropertyModel,
  text: string,
  scope: Parameters<typeof compileExpression>[1],
  problems: Problems,
): CompiledExpression | undefined {
  const path = [...property.path, 'transformLogic'];
  try {
    const expression = compileExpression(text, scope);
    if (!canBecome(expression.type, property.type.name)) {
      problems.add(
        path,
        `the expression gives ${expression.type}, and the property is a ${property.type.name}: write CAST(… AS ${property.type.name.toUpperCase()})`,
      );
    }
    return expression;
  } catch (error) {
    if (!(error instanceof WardlineError)) throw error;
    problems.add(path, error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
    return undefined;
  }
}

/**
 * A raw field is as sensitive as the strongest property that uses it. Where a property says that it is declassified, its
 * input is more sensitive than the property by the contract's own word: such a field never leaves the source in clear.
 */
function classOfRaw(field: RawField, derivations: readonly Derivation[]): Classification {
  return derivations
    .filter(({ expression }) => expression.inputs.includes(field.slot))
    .map(({ property }) =>
      property.declassified === undefined ? property.classification : strongest(property.classification, 'personal'),
    )
    .reduce(strongest, 'public');
}

function checkClass(
  { property, expression }: Derivation,
  classOf: (slot: number) => Classification,
  problems: Problems,
): void {
  if (property.declassified !== undefined) return;
  const inputs = expression.inputs.map(classOf).reduce(strongest, 'public');
  if (strongest(inputs, property.classification) === property.classification) return;
  problems.add(
    property.path,
    `is ${property.classification}, but its expression uses what is ${inputs}: classify it ${inputs}, or say why not with declassified`,
  );
}

/** Every derivation after those that it uses; a circle is a problem. */
function inOrder(derivations: readonly Derivation[], problems: Problems): Derivation[] {
  const bySlot = new Map(derivations.map((derivation) => [derivation.property.slot, derivation]));
  const done = new Set<Derivation>();
  const ordered: Derivation[] = [];
  const visit = (derivation: Derivation, path: readonly Derivation[]): void => {
    if (done.has(derivation)) return;
    const start = path.indexOf(derivation);
    if (start >= 0) {
      const circle = [...path.slice(start), derivation].map(({ property }) => property.name).join(' → ');
      problems.add([...derivation.property.path, 'transformLogic'], `the expressions go in a circle: ${circle}`);
      done.add(derivation);
      return;
    }
    for (const slot of derivation.expression.inputs) {
      const input = bySlot.get(slot);
      if (input !== undefined) visit(input, [...path, derivation]);
    }
    if (done.has(derivation)) return;
    done.add(derivation);
    ordered.push(derivation);
  };
  for (const derivation of derivations) visit(derivation, []);
  return ordered;
}

/** What the source must compute although the worker could: key, data subject, and inputs of what is computed there. */
function neededBySource(order: readonly Derivation[], sensitive: ReadonlySet<number>): Set<number> {
  const needed = new Set<number>();
  for (const { property, expression } of order.toReversed()) {
    const here = isKey(property) || property.dataSubject || sensitive.has(property.slot) || needed.has(property.slot);
    if (!here) continue;
    needed.add(property.slot);
    for (const slot of expression.inputs) needed.add(slot);
  }
  return needed;
}
