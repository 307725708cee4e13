import { createHash } from 'node:crypto';
import type { SensitiveClass } from '../../core/classification.ts';
import { KEYS_KEYSPACE } from '../principals/names.ts';

const LONGEST_NAME = 48;
/** Ids of this form become a name by turning `-` to `_`, and no two of them become the same. */
const PLAIN_ID = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const HASH_LENGTH = 8;

/**
 * The table of a contract's DEKs of one class, within the keys keyspace: `smart-home` and `personal` give
 * `smart_home_personal`. An id that is too long, or whose name another id might have too, is cut and marked by a hash.
 */
export function dekTableName(contractId: string, classification: SensitiveClass): string {
  const room = LONGEST_NAME - classification.length - 1;
  if (PLAIN_ID.test(contractId) && contractId.length <= room) {
    return `${contractId.replaceAll('-', '_')}_${classification}`;
  }
  const hash = createHash('sha256').update(contractId).digest('hex').slice(0, HASH_LENGTH);
  const start = `c_${contractId.toLowerCase().replace(/[^a-z0-9]/g, '_')}`.slice(0, room - HASH_LENGTH - 2);
  // Two underscores in a row never come of a plain id.
  return `${start}__${hash}_${classification}`;
}

/** CQL that makes the keys keyspace where there is none. */
export function keysKeyspaceStatement(replication: Readonly<Record<string, string | number>>): string {
  const entries = Object.entries(replication).map(([name, value]) => `'${name}': '${value}'`);
  return `CREATE KEYSPACE IF NOT EXISTS ${KEYS_KEYSPACE} WITH replication = {${entries.join(', ')}}`;
}

/**
 * CQL that makes the table of a contract's DEKs of one class where there is none. `erased_at` belongs to the subject and
 * not to a generation, so that a condition on it is decided together with the generation that it allows or forbids.
 */
export function dekTableStatement(contractId: string, classification: SensitiveClass): string {
  return `CREATE TABLE IF NOT EXISTS ${KEYS_KEYSPACE}.${dekTableName(contractId, classification)} (
  subject text,
  generation int,
  kid text,
  wrapped text,
  state text,
  created_at timestamp,
  destroyed_at timestamp,
  erased_at timestamp static,
  PRIMARY KEY (subject, generation)
)`;
}
