import type { Scope } from '../../expression/index.ts';
import type { PropertyModel } from './property-model.ts';

/** A source field that expressions read and no property maps directly: text, as the source spells it. */
export interface RawField {
  readonly name: string;
  readonly slot: number;
}

type Resolved = NonNullable<ReturnType<Scope['resolve']>>;

export interface Resolver {
  /** What names mean in one property's expression. */
  scopeOf(property: PropertyModel): Scope;
  /** The raw fields that expressions have asked for so far. */
  rawFields(): readonly RawField[];
}

/**
 * Gives names in expressions their meaning: another property; the property that maps a source field of that name; else a
 * source field of that name, as text. A property's own name is its source field. Names are exact; without quotes, letter
 * case decides only where two names differ in nothing else.
 */
export function createResolver(properties: readonly PropertyModel[]): Resolver {
  const raw = new Map<string, RawField>();
  const byName = new Map(properties.map((property) => [property.name, property]));
  const byField = new Map(
    properties.flatMap((property) =>
      property.origin.kind === 'direct' ? [[property.origin.field, property] as const] : [],
    ),
  );
  const names = [...new Set([...byName.keys(), ...byField.keys()])];

  const rawField = (name: string): Resolved => {
    const field = raw.get(name) ?? { name, slot: properties.length + raw.size };
    raw.set(name, field);
    return { index: field.slot, type: 'text' };
  };

  const known = (name: string, self: PropertyModel): Resolved | undefined => {
    const named = byName.get(name);
    const property = named === undefined || named === self ? byField.get(name) : named;
    return property === undefined ? undefined : { index: property.slot, type: property.type.name };
  };

  const resolve = (name: string, quoted: boolean, self: PropertyModel): Resolved | undefined => {
    const exact = known(name, self);
    if (exact !== undefined) return exact;
    const listed = self.origin.kind === 'derived' ? self.origin.listed : undefined;
    if (name === self.name || listed?.includes(name)) return rawField(name);
    const folded = quoted ? undefined : onlyOne([...names, ...(listed ?? [])], name);
    if (folded !== undefined) return known(folded, self) ?? rawField(folded);
    return listed === undefined ? rawField(name) : undefined;
  };

  return {
    scopeOf: (property) => {
      const listed = property.origin.kind === 'derived' ? (property.origin.listed ?? []) : [];
      return {
        names: [...new Set([...names, ...listed])].filter((name) => name !== property.name),
        resolve: (name, quoted) => resolve(name, quoted, property),
      };
    },
    rawFields: () => [...raw.values()],
  };
}

function onlyOne(names: readonly string[], name: string): string | undefined {
  const folded = name.toLowerCase();
  const found = [...new Set(names)].filter((candidate) => candidate.toLowerCase() === folded);
  return found.length === 1 ? found[0] : undefined;
}
