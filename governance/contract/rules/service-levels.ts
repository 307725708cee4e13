import { isSensitive } from '../../../core/classification.ts';
import { isPrincipalName, PRINCIPAL_NAMES } from '../../../security/principals/names.ts';
import { PRINCIPALS } from '../../../security/principals/table.ts';
import type { RolePolicy } from '../compiled.ts';
import { pathText, type Problems } from '../document/problems.ts';
import type { ContractDocument } from '../document/shape.ts';
import { roleExtras } from './custom-properties.ts';

interface Notes {
  readonly problems: Problems;
  readonly notEnforced: string[];
}

const SECONDS_PER_DAY = 86_400;
/** Cassandra's longest time to live is 20 years. */
const RETENTION_LIMIT_DAYS = 7300;

const LEVELS = {
  retention: { units: ['d', 'day', 'days'], most: RETENTION_LIMIT_DAYS, whole: true },
  latency: { units: ['s', 'second', 'seconds'], most: SECONDS_PER_DAY, whole: false },
} as const;

/** Principals that are given the keys of what a contract lets them open. */
const CAN_OPEN: readonly string[] = PRINCIPAL_NAMES.filter((name) =>
  PRINCIPALS[name].cassandra.some((right) => right.on === 'opened keys tables'),
);

export interface ServiceLevels {
  readonly retentionSeconds: number | undefined;
  readonly latencySeconds: number | undefined;
}

/** `retention` (days) and `latency` (seconds); others' service levels are listed as not enforced. */
export function serviceLevels(document: ContractDocument, { problems, notEnforced }: Notes): ServiceLevels {
  const found: { retention?: number; latency?: number } = {};
  for (const [index, { property, value, unit }] of document.slaProperties.entries()) {
    const here = ['slaProperties', index];
    if (property !== 'retention' && property !== 'latency') {
      notEnforced.push(`${pathText(here)} (${property})`);
      continue;
    }
    const { units, most, whole } = LEVELS[property];
    const amount = typeof value === 'string' ? Number(value) : value;
    if (found[property] !== undefined) problems.add(here, `${property} is given twice`);
    else if (!(units as readonly (string | undefined)[]).includes(unit)) {
      problems.add(here, `the unit of ${property} is ${units[0]}, not ${unit ?? 'left out'}`);
    } else if (typeof amount !== 'number' || !(amount > 0) || amount > most || (whole && !Number.isInteger(amount))) {
      problems.add([...here, 'value'], `must be a ${whole ? 'whole ' : ''}number above 0 and at most ${most}`);
    } else found[property] = amount;
  }
  return {
    retentionSeconds: found.retention === undefined ? undefined : found.retention * SECONDS_PER_DAY,
    latencySeconds: found.latency,
  };
}

/** Who may do what with the contract's data. */
export function rolesOf(document: ContractDocument, notes: Notes): RolePolicy[] {
  return document.roles.flatMap((role, index): RolePolicy[] => {
    const here = ['roles', index];
    const { opens, purposes } = roleExtras(role.customProperties, here, notes);
    const sensitive = opens.filter(isSensitive);
    if (!isPrincipalName(role.role)) {
      notes.problems.add(
        [...here, 'role'],
        `there is no principal "${role.role}"; there are: ${PRINCIPAL_NAMES.join(', ')}`,
      );
    }
    if (role.access !== 'read' && role.access !== 'write') {
      notes.problems.add([...here, 'access'], 'must be read or write');
      return [];
    }
    if (sensitive.length > 0 && role.access !== 'read')
      notes.problems.add(here, 'opens is for roles with access: read');
    else if (sensitive.length > 0 && !CAN_OPEN.includes(role.role)) {
      notes.problems.add(
        here,
        `the principal ${role.role} is given no keys, so it opens nothing; ${CAN_OPEN.join(', ')} can`,
      );
    }
    if (sensitive.length > 0 && purposes.length === 0) {
      notes.problems.add(here, 'opens needs purposes: whoever opens a sealed field must say for which of them');
    }
    return [{ role: role.role, access: role.access, opens: sensitive, purposes }];
  });
}
