import type { Client } from 'cassandra-driver';
import { asCassandraError } from '../../../security/connect/cassandra/cassandra.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import type { TableName } from './scan-table.ts';

/**
 * Gives roles the rights on a table that they had when the backup was made, whether or not a contract asks for them.
 * Roles that are not there any more are passed over. Does no harm when called again.
 */
export async function giveGrants(
  client: Pick<Client, 'execute'>,
  { cassandra }: Pick<Manifest, 'cassandra'>,
  { keyspace, table }: TableName,
): Promise<void> {
  const own = cassandra.grants.filter(({ resource }) => resource === `<table ${keyspace}.${table}>`);
  if (own.length === 0) return;
  try {
    const { rows } = await client.execute('SELECT role FROM system_auth.roles');
    const roles = new Set(rows.map((row) => String(row['role'])));
    for (const { role, permission } of own.filter((grant) => roles.has(grant.role)))
      await client.execute(`GRANT ${permission} ON TABLE ${quoted(keyspace)}.${quoted(table)} TO ${quoted(role)}`);
  } catch (error) {
    throw asCassandraError(error);
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
