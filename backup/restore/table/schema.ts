import type { Client } from 'cassandra-driver';
import { WardlineError } from '../../../core/errors/errors.ts';
import { asCassandraError } from '../../../security/connect/cassandra/cassandra.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import type { TableName } from './scan-table.ts';

type CqlClient = Pick<Client, 'execute'>;
type Keyspace = Manifest['cassandra']['keyspaces'][number];
type Table = Keyspace['tables'][number];

/** A table of a backup, with what makes it. */
export interface BackedUpTable extends TableName {
  readonly keyspaceCql: string;
  readonly cql: readonly string[];
}

/**
 * The tables of a backup that a restore is about: all of them, or the one named `keyspace.table`.
 * Throws BACKUP_NOT_FOUND where the backup has no such table.
 */
export function tablesOf(manifest: Pick<Manifest, 'id' | 'cassandra'>, named?: string): readonly BackedUpTable[] {
  const all = manifest.cassandra.keyspaces.flatMap((keyspace: Keyspace) =>
    keyspace.tables.map((table: Table) => ({
      ...{ keyspace: keyspace.name, table: table.name },
      ...{ keyspaceCql: keyspace.cql, cql: table.cql },
    })),
  );
  if (named === undefined) return all;
  const found = all.filter(({ keyspace, table }) => `${keyspace}.${table}` === named);
  if (found.length > 0) return found;
  throw new WardlineError('BACKUP_NOT_FOUND', `backup ${manifest.id} has no table ${named}`, {
    hint: `it has: ${all.map(({ keyspace, table }) => `${keyspace}.${table}`).join(', ')}`,
  });
}

/**
 * Makes a table, and its keyspace, as the backup has them where they are not there. Returns whether the table was made.
 * A table that is there may have changed since: see requireSameColumns.
 */
export async function ensureTable(client: CqlClient, table: BackedUpTable): Promise<boolean> {
  await client.execute(ifNotExists(table.keyspaceCql, 'KEYSPACE')).catch(failed);
  const { rows } = await client
    .execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?', [
      table.keyspace,
      table.table,
    ])
    .catch(failed);
  if (rows.length > 0) return false;
  for (const statement of table.cql) await client.execute(statement).catch(failed);
  return true;
}

/** The same table, empty, in another keyspace, which is made with the replication of its own where it is not there. */
export async function makeTableIn(client: CqlClient, keyspace: string, table: BackedUpTable): Promise<void> {
  await client.execute(renamed(ifNotExists(table.keyspaceCql, 'KEYSPACE'), table.keyspace, keyspace)).catch(failed);
  for (const statement of table.cql)
    await client.execute(renamed(statement, `${table.keyspace}.`, `${keyspace}.`)).catch(failed);
}

/** The columns that the backup has and the table as it stands has not, or has with another type: their values cannot come back. */
export async function lostColumns(
  client: CqlClient,
  live: TableName,
  asBackedUp: TableName,
): Promise<readonly string[]> {
  const [now, then] = await Promise.all([live, asBackedUp].map((table) => columnsOf(client, table)));
  return [...(then ?? [])].filter(([name, type]) => now?.get(name) !== type).map(([name, type]) => `${name} ${type}`);
}

async function columnsOf(client: CqlClient, { keyspace, table }: TableName): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client
    .execute('SELECT column_name, type, kind FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?', [
      keyspace,
      table,
    ])
    .catch(failed);
  return new Map(rows.map((row) => [String(row['column_name']), `${String(row['type'])} ${String(row['kind'])}`]));
}

function ifNotExists(cql: string, what: string): string {
  return cql.replace(new RegExp(`^CREATE ${what} (?!IF )`), `CREATE ${what} IF NOT EXISTS `);
}

/** Cassandra's own description names the keyspace once, bare or in quotes, before anything of the user's choice. */
function renamed(cql: string, from: string, to: string): string {
  const quoted = (name: string): string => (name.endsWith('.') ? `"${name.slice(0, -1)}".` : `"${name}"`);
  const at = [cql.indexOf(` ${quoted(from)}`), cql.indexOf(` ${from}`)].find((place) => place >= 0);
  if (at === undefined) throw new WardlineError('BACKUP_DAMAGED', `a statement of the manifest does not name ${from}`);
  const old = cql.startsWith(quoted(from), at + 1) ? quoted(from) : from;
  return `${cql.slice(0, at + 1)}${to}${cql.slice(at + 1 + old.length)}`;
}

function failed(error: unknown): never {
  throw asCassandraError(error);
}
