import type { Client } from 'cassandra-driver';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { AUDIT_TABLES } from '../../../security/audit-keyspace/tables.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { asCassandraError, cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { dekTableName } from '../../../security/keyring/dek-schema.ts';
import { AUDIT_KEYSPACE, KEYS_KEYSPACE, type PrincipalName } from '../../../security/principals/names.ts';
import { PRINCIPALS, type CassandraPermission, type CassandraPlace } from '../../../security/principals/table.ts';
import {
  failed,
  held,
  notTried,
  triedPrincipals,
  type Check,
  type CheckGroup,
  type Patient,
  type Result,
} from '../check.ts';

const REMEDY = 'give the rights of the table of principals, and no others: wardline principals shows them';
/** A table that is nowhere: whoever may drop it drops nothing. */
const NO_TABLE = 'wardline_doctor_nothing';
const GUARDRAIL = /not allowed|guardrail/i;

interface Statement {
  readonly title: string;
  readonly cql: string;
  readonly isGiven: (principal: PrincipalName) => boolean;
}

/** Each principal tries what its row of the table does not give. None of it changes anything where it is let through. */
export const cassandraRightsChecks: CheckGroup = (patient) => {
  return Promise.resolve([
    ...triedPrincipals(patient).map((principal): Check => ({
      id: `cassandra-rights/${principal}`,
      title: `Cassandra: ${principal} does nothing that is not its duty`,
      remedy: REMEDY,
      attempt: () =>
        as(patient, principal, (client) => allRefused(client, principal, statementsFor(patient, principal))),
    })),
    {
      id: 'cassandra-guardrails/drop-table',
      title: 'Cassandra: nobody but a super user drops or empties a table, not even its owner',
      remedy: 'set drop_truncate_table_enabled: false in cassandra.yaml',
      attempt: () => dropNothing(patient),
    },
    {
      id: 'cassandra-guardrails/drop-keyspace',
      title: 'Cassandra: nobody but a super user drops a keyspace, not even its owner',
      remedy: 'set drop_keyspace_enabled: false in cassandra.yaml',
      attempt: () => Promise.resolve(notTried('whoever is let through would drop what is there')),
    },
  ]);
};

/** Rows that are nowhere: whoever may write them leaves nothing that anyone reads. */
function statementsFor({ connection, contracts }: Patient, tried: PrincipalName): readonly Statement[] {
  const own = accessOf(connection, tried).username.replaceAll('"', '""');
  const events = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.events}"`;
  return [
    {
      title: 'reads audit events',
      cql: `SELECT sequence FROM ${events} WHERE epoch = -1 AND block = -1`,
      isGiven: (principal) => has(principal, 'audit keyspace', 'SELECT'),
    },
    {
      title: 'deletes audit events',
      cql: `DELETE FROM ${events} USING TIMESTAMP 1 WHERE epoch = -1 AND block = -1`,
      isGiven: (principal) => has(principal, 'audit keyspace', 'MODIFY'),
    },
    { title: 'changes the table of audit events', cql: `ALTER TABLE ${events} WITH comment = ''`, isGiven: nobody },
    {
      title: 'reads roles',
      cql: 'SELECT role FROM system_auth.roles LIMIT 1',
      isGiven: (principal) => has(principal, 'role tables', 'SELECT'),
    },
    // Its own, which is there.
    { title: 'makes a role', cql: `CREATE ROLE IF NOT EXISTS "${own}" WITH LOGIN = true`, isGiven: nobody },
    {
      title: 'makes a super user',
      cql: 'ALTER ROLE IF EXISTS "nobody-of-that-name" WITH SUPERUSER = true',
      isGiven: nobody,
    },
    ...contracts.flatMap(({ id, table, roles, sensitiveClasses }): Statement[] => [
      {
        title: `reads ${table.keyspace}.${table.name}`,
        cql: `SELECT JSON * FROM "${table.keyspace}"."${table.name}" LIMIT 1`,
        isGiven: (principal) => isOwner(principal) || has(principal, 'data table', 'SELECT'),
      },
      ...sensitiveClasses.map((classification): Statement => ({
        title: `reads keys of class ${classification} of ${id}`,
        cql: `SELECT kid FROM "${KEYS_KEYSPACE}"."${dekTableName(id, classification)}" LIMIT 1`,
        isGiven: (principal) =>
          isOwner(principal) ||
          has(principal, 'keys tables', 'SELECT') ||
          roles.some(({ role, access, opens }) => {
            const mayOpen = role === principal && access === 'read' && opens.includes(classification);
            return mayOpen && has(principal, 'opened keys tables', 'SELECT');
          }),
      })),
    ]),
  ];
}

function nobody(): boolean {
  return false;
}

/** Whoever makes a table has every right on it. */
function isOwner(principal: PrincipalName): boolean {
  return principal === 'operator';
}

function has(principal: PrincipalName, place: CassandraPlace, permission: CassandraPermission): boolean {
  return PRINCIPALS[principal].cassandra.some(({ on, grant }) => on === place && grant.includes(permission));
}

async function allRefused(client: Client, principal: PrincipalName, statements: readonly Statement[]): Promise<Result> {
  const forbidden = statements.filter(({ isGiven }) => !isGiven(principal));
  for (const { title, cql } of forbidden) {
    try {
      await client.execute(cql);
      return failed(`it ${title}`);
    } catch (error) {
      const { code, message } = asCassandraError(error);
      if (code !== 'CASSANDRA_REFUSED') return failed(`it ${title}: ${message}`);
    }
  }
  return held(`refused ${forbidden.length} times`);
}

/** The operator owns the keyspaces of contracts, and so everything in them. */
function dropNothing(patient: Patient): Promise<Result> {
  const [contract] = patient.contracts;
  if (contract === undefined) return Promise.resolve(notTried('no contract was applied from this home'));
  return as(patient, 'operator', async (client) => {
    try {
      await client.execute(`DROP TABLE IF EXISTS "${contract.table.keyspace}"."${NO_TABLE}"`);
      return failed('the owner of the keyspace was let through');
    } catch (error) {
      // In the server's own words: the statement holds nothing that could be repeated in them.
      const message = error instanceof Error ? error.message : String(error);
      return GUARDRAIL.test(message) ? held(message) : failed(message);
    }
  });
}

async function as(
  { connection }: Patient,
  principal: PrincipalName,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = cassandraClient(connection, principal, { connectionsPerHost: 1 });
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    return failed(asWardlineError(asCassandraError(error)).message);
  } finally {
    await client.shutdown();
  }
}
