import { hash } from 'bcryptjs';
import type { Client } from 'cassandra-driver';
import { cassandraGrants, grantStatement } from '../../security/principals/cassandra-grants.ts';
import { AUDIT_TABLE_STATEMENTS } from '../../security/audit-keyspace/tables.ts';
import { copiesOf, nodesOfDataCenters } from '../../security/connect/cassandra/data-centers.ts';
import { AUDIT_KEYSPACE, PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { PRINCIPALS } from '../../security/principals/table.ts';

/** The role that Cassandra makes for itself at the first start, with a password that everybody knows. */
export const DEFAULT_ROLE = 'cassandra';

/**
 * bcrypt's lowest cost. Its slowness protects passwords that people choose; ours are 256 random bits, which no one
 * finds by trying, and a low cost keeps logins from eating the CPU time of the server.
 */
const BCRYPT_COST = 4;

/** The one principal beside break-glass that may make keyspaces and tables. */
const MAKER_OF_KEYSPACES = 'operator' satisfies PrincipalName;

/** For whoever makes it by hand: one copy, on a lone node; whoever has more nodes alters it. */
export const AUDIT_KEYSPACE_STATEMENT = `CREATE KEYSPACE IF NOT EXISTS "${AUDIT_KEYSPACE}" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`;

/** The keyspace and the grants that hold before any contract does. */
export const CASSANDRA_BASE = {
  roles: PRINCIPAL_NAMES,
  keyspace: AUDIT_KEYSPACE,
  tables: AUDIT_TABLE_STATEMENTS,
  grants: [...cassandraGrants({ kind: 'base' }), ...cassandraGrants({ kind: 'audit', keyspace: AUDIT_KEYSPACE })],
} as const;

/** Makes one principal's role, or gives an existing one the password that the home holds. `client` must be a superuser. */
export async function provisionRole(client: Client, principal: PrincipalName, password: string): Promise<void> {
  // The server knows bcrypt by its older mark; for passwords of ASCII below 256 bytes the two are the same.
  const hashed = (await hash(password, BCRYPT_COST)).replace(/^\$2b\$/, '$2a$');
  const options = `HASHED PASSWORD = '${hashed}' AND LOGIN = true AND SUPERUSER = ${PRINCIPALS[principal].superUser}`;
  await client.execute(`CREATE ROLE IF NOT EXISTS "${principal}" WITH ${options}`);
  await client.execute(`ALTER ROLE "${principal}" WITH HASHED PASSWORD = '${hashed}'`);
}

/**
 * Makes the audit keyspace, with the copies that its nodes allow, and its tables as `client`'s role, which so owns them. Where the operator was first, in the keyspace or with a
 * table in it, what Cassandra gave it as their maker is taken back.
 */
export async function provisionAuditKeyspace(client: Client): Promise<void> {
  await client.execute(`CREATE KEYSPACE IF NOT EXISTS "${AUDIT_KEYSPACE}" WITH ${await replication(client)}`);
  const { rows } = await client.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [
    AUDIT_KEYSPACE,
  ]);
  const tables = rows.map((row) => `TABLE "${AUDIT_KEYSPACE}"."${String(row['table_name'])}"`);
  for (const resource of [`KEYSPACE "${AUDIT_KEYSPACE}"`, ...tables])
    await client.execute(`REVOKE ALL PERMISSIONS ON ${resource} FROM ${MAKER_OF_KEYSPACES}`);
  for (const statement of CASSANDRA_BASE.tables) await client.execute(statement);
}

/**
 * Gives what holds roles and grants as many copies as the nodes allow: with one, nobody could log in while its node is
 * down. MUST come before the first role of ours: those that are there already would have to be repaired into the copies.
 * A lone node has them as it made them.
 */
export async function replicateRoles(client: Client): Promise<void> {
  const nodes = [...(await nodesOfDataCenters(client)).values()].reduce((sum, each) => sum + each, 0);
  if (nodes > 1) await client.execute(`ALTER KEYSPACE system_auth WITH ${await replication(client)}`);
}

async function replication(client: Client): Promise<string> {
  const copies = Object.entries(copiesOf(await nodesOfDataCenters(client)));
  const each = copies.map(([name, count]) => `'${name}': ${count}`);
  return `replication = {'class': 'NetworkTopologyStrategy', ${each.join(', ')}}`;
}

/** Gives every principal's role its base grants. Does no harm when called again. */
export async function provisionGrants(client: Client): Promise<void> {
  for (const grant of CASSANDRA_BASE.grants) await client.execute(grantStatement(grant));
}

/** Takes login and superuser away from the default role, and replaces its password by one that nobody knows. */
export async function disableDefaultRole(client: Client, randomPassword: string): Promise<void> {
  const hashed = (await hash(randomPassword, BCRYPT_COST)).replace(/^\$2b\$/, '$2a$');
  await client.execute(
    `ALTER ROLE ${DEFAULT_ROLE} WITH HASHED PASSWORD = '${hashed}' AND LOGIN = false AND SUPERUSER = false`,
  );
}
