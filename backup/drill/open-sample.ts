import type { Client } from 'cassandra-driver';
import type { AuditLog } from '../../audit/event/event.ts';
import type { JsonValue } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { readSubject } from '../../pipeline/read/read-subject.ts';
import { storedJson } from '../../pipeline/read/stored-value.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { Keyring } from '../../security/keyring/keyring.ts';
import type { DrillCheck } from './report.ts';

export interface SampleParts {
  /** As the reader, on the restored servers. */
  readonly client: Client;
  readonly keyring: Keyring;
  readonly audit: AuditLog;
}

const READER = 'reader';
const SUBJECTS = 5;
const ROWS_OF_A_SUBJECT = 5;
/** Rows that are looked at for subjects. */
const PARTITIONS = 200;

/**
 * Opens some sealed fields of some subjects of each contract as its reader would, with the keys that were restored, and
 * keeps none of what it reads. A field of a subject whose keys were destroyed must not open, and is counted apart.
 */
export async function openSample(contracts: readonly CompiledContract[], parts: SampleParts): Promise<DrillCheck> {
  const count = { subjects: 0, opened: 0, erased: 0, failed: 0 };
  const counting: AuditLog = {
    ...parts.audit,
    async append(statement) {
      await parts.audit.append(statement);
      count.opened += statement.counts?.['opened'] ?? 0;
    },
  };
  for (const contract of contracts) {
    const [purpose = 'recovery drill'] = contract.roles.find(({ role }) => role === READER)?.purposes ?? [];
    for (const subject of await subjectsOf(parts.client, contract)) {
      count.subjects += 1;
      const reading = { ...parts, audit: counting, contract, subject, purpose, principal: READER } as const;
      for await (const { faults } of readSubject({ ...reading, limit: ROWS_OF_A_SUBJECT }))
        for (const code of Object.values(faults)) count[code === 'KEY_DESTROYED' ? 'erased' : 'failed'] += 1;
    }
  }
  return {
    name: 'a sample of sealed fields opens',
    passed: count.failed === 0,
    found: `${count.opened} fields of ${count.subjects} subjects; ${count.failed} do not open; ${count.erased} of erased subjects`,
  };
}

/** Some subjects of whom there are rows. */
async function subjectsOf(client: Client, contract: CompiledContract): Promise<readonly string[]> {
  const { keyspace, name, columns } = contract.table;
  const column = columns.find(({ property, sealedAs }) => property === contract.dataSubject && sealedAs === undefined);
  if (column === undefined) return contract.dataSubject === undefined ? [contract.id] : [];
  const query = `SELECT "${column.name}" AS subject FROM "${keyspace}"."${name}" PER PARTITION LIMIT 1 LIMIT ${PARTITIONS}`;
  const { rows } = await client.execute(query).catch((error: unknown) => {
    throw asCassandraError(error);
  });
  const subjects = rows.map((row) => textOf(storedJson(column, row.get('subject'))));
  return [...new Set(subjects)].slice(0, SUBJECTS);
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
