import { pathText, type Path, type Problems } from './problems.ts';

/**
 * The keys of ODCS v3.1.0, by place: those that Wardline reads, and the rest, which are listed as not enforced.
 * A key in neither is a mistake: ODCS allows no others, and a misspelt `classification` must not pass in silence.
 */
interface Level {
  readonly read: readonly string[];
  readonly other: readonly string[] | 'any';
  readonly below?: Readonly<Record<string, Level>>;
}

const CUSTOM_PROPERTY: Level = { read: ['property', 'value'], other: ['id', 'description'] };
const ELEMENT = ['id', 'businessName', 'authoritativeDefinitions', 'tags', 'description'] as const;

const QUALITY: Level = {
  read: [
    ...['type', 'metric', 'severity', 'arguments', 'mustBe', 'mustNotBe', 'mustBeGreaterThan'],
    ...['mustBeGreaterOrEqualTo', 'mustBeLessThan', 'mustBeLessOrEqualTo', 'mustBeBetween', 'mustNotBeBetween'],
  ],
  other: [
    ...['id', 'authoritativeDefinitions', 'businessImpact', 'customProperties', 'description', 'dimension', 'method'],
    ...['name', 'schedule', 'scheduler', 'tags', 'unit', 'rule', 'query', 'engine', 'implementation'],
  ],
};

const PROPERTY: Level = {
  read: [
    ...['name', 'logicalType', 'logicalTypeOptions', 'physicalType', 'encryptedName', 'required', 'partitioned'],
    ...['partitionKeyPosition', 'primaryKey', 'primaryKeyPosition', 'transformSourceObjects', 'transformLogic'],
    ...['classification', 'quality', 'customProperties'],
  ],
  other: [
    ...ELEMENT,
    ...['physicalName', 'unique', 'transformDescription', 'examples', 'criticalDataElement', 'relationships'],
    ...['items', 'properties'],
  ],
  below: { quality: QUALITY, customProperties: CUSTOM_PROPERTY },
};

const DOCUMENT: Level = {
  read: [...['apiVersion', 'kind', 'id', 'version', 'status', 'servers', 'schema', 'roles', 'slaProperties']],
  other: [
    ...['name', 'tenant', 'tags', 'dataProduct', 'description', 'domain', 'support', 'price', 'team'],
    ...['slaDefaultElement', 'authoritativeDefinitions', 'customProperties', 'contractCreatedTs'],
  ],
  below: {
    servers: { read: ['server', 'type', 'path', 'format', 'schema', 'host'], other: 'any' },
    schema: {
      read: ['name', 'physicalName', 'properties', 'quality', 'logicalType', 'physicalType'],
      other: [...ELEMENT, 'dataGranularityDescription', 'relationships', 'customProperties'],
      below: { properties: PROPERTY, quality: QUALITY },
    },
    roles: {
      read: ['role', 'access', 'customProperties'],
      other: ['id', 'description', 'firstLevelApprovers', 'secondLevelApprovers'],
      below: { customProperties: CUSTOM_PROPERTY },
    },
    slaProperties: {
      read: ['property', 'value', 'unit'],
      other: ['id', 'valueExt', 'element', 'driver', 'scheduler', 'schedule', 'description'],
    },
  },
};

/** Notes every key that ODCS does not have; returns the paths of those that it has and Wardline does not enforce. */
export function checkKeys(document: unknown, problems: Problems): string[] {
  const notEnforced: string[] = [];
  walk(document, [], DOCUMENT, problems, notEnforced);
  return notEnforced;
}

function walk(value: unknown, path: Path, level: Level, problems: Problems, notEnforced: string[]): void {
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => walk(item, [...path, index], level, problems, notEnforced));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    const here = [...path, key];
    if (level.read.includes(key)) {
      const below = level.below?.[key];
      if (below !== undefined) walk(member, here, below, problems, notEnforced);
    } else if (level.other === 'any' || level.other.includes(key)) notEnforced.push(pathText(here));
    else problems.add(here, `ODCS v3.1.0 has no key "${key}" here${suggestion(key, level)}`);
  }
}

function suggestion(key: string, level: Level): string {
  const folded = key.toLowerCase();
  const near = level.read.find((known) => distanceAtMostTwo(folded, known.toLowerCase()));
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

/** True where at most two letters must be changed, added or removed to make one word of the other. */
function distanceAtMostTwo(a: string, b: string): boolean {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row[b.length] ?? 3) <= 2;
}
