import { z } from 'zod';
import { pathText, type Path, type Problems } from '../document/problems.ts';
import type { CustomPropertyDocument } from '../document/shape.ts';
import { EPOCH_UNITS, type EpochUnit } from '../cql/cql-type.ts';
import { CLASSIFICATIONS } from '../../../core/classification.ts';

const EPOCH_UNIT_NAMES = Object.keys(EPOCH_UNITS) as [EpochUnit, ...EpochUnit[]];

/** What ODCS lacks and `customProperties` of a property say. */
const PROPERTY_EXTRAS = z.object({
  dataSubject: z.boolean().default(false),
  epochUnit: z.enum(EPOCH_UNIT_NAMES).optional(),
  nullValues: z.array(z.union([z.string(), z.number()])).default([]),
  absenceSensitive: z.boolean().default(false),
  declassified: z.string().trim().min(1, 'needs a reason').optional(),
});

/** The same of a role. */
const ROLE_EXTRAS = z.object({
  opens: z.array(z.enum(CLASSIFICATIONS)).default([]),
  purposes: z.array(z.string().min(1)).default([]),
});

export type PropertyExtras = z.infer<typeof PROPERTY_EXTRAS>;
export type RoleExtras = z.infer<typeof ROLE_EXTRAS>;

interface Notes {
  readonly problems: Problems;
  readonly notEnforced: string[];
}

export function propertyExtras(given: readonly CustomPropertyDocument[], path: Path, notes: Notes): PropertyExtras {
  return extras(PROPERTY_EXTRAS, given, path, notes);
}

export function roleExtras(given: readonly CustomPropertyDocument[], path: Path, notes: Notes): RoleExtras {
  return extras(ROLE_EXTRAS, given, path, notes);
}

/** Reads the entries that are ours; others' entries are theirs, and are listed as not enforced. */
function extras<S extends z.ZodObject>(
  shape: S,
  given: readonly CustomPropertyDocument[],
  path: Path,
  { problems, notEnforced }: Notes,
): z.output<S> {
  const known = new Map<string, z.ZodType>(Object.entries(shape.shape));
  const values: Record<string, unknown> = {};
  for (const [index, { property, value }] of given.entries()) {
    const here = [...path, 'customProperties', index];
    const member = known.get(property);
    if (member === undefined) notEnforced.push(`${pathText(here)} (${property})`);
    else if (Object.hasOwn(values, property)) problems.add(here, `${property} is given twice`);
    else {
      const parsed = member.safeParse(value);
      if (parsed.success) values[property] = value;
      else problems.add([...here, 'value'], `${property}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
    }
  }
  return shape.parse(values);
}
