import type { Client } from 'cassandra-driver';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import { nodesOfDataCenters } from '../../security/connect/cassandra/data-centers.ts';

export interface ColumnFacts {
  readonly type: string;
  readonly kind: 'partition_key' | 'clustering' | 'regular' | 'static';
  /** Place among the columns of a key; -1 for others. */
  readonly position: number;
}

export interface TableFacts {
  readonly comment: string;
  readonly defaultTimeToLive: number;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
}

export interface CassandraFacts {
  /** Nodes in each data center. */
  readonly dataCenters: ReadonlyMap<string, number>;
  readonly keyspaces: ReadonlySet<string>;
  /** Tables of the keyspaces asked for, by `keyspace.table`. */
  readonly tables: ReadonlyMap<string, TableFacts>;
  /** Every grant, by `grantKey`; undefined where the principal may not see them. */
  readonly grants: ReadonlySet<string> | undefined;
}

export function grantKey(role: string, permission: string, keyspace: string, table: string): string {
  return JSON.stringify([role, permission, keyspace, table]);
}

/** What is needed of a Cassandra client. */
export type CqlReader = Pick<Client, 'execute'>;

/** Reads what a plan needs to know of Cassandra. The schema tables are open to every role. */
export async function readCassandraFacts(client: CqlReader, keyspaces: readonly string[]): Promise<CassandraFacts> {
  const [dataCenters, present] = await Promise.all([
    nodesOfDataCenters(client),
    client.execute('SELECT keyspace_name FROM system_schema.keyspaces'),
  ]);
  const tables = await Promise.all(keyspaces.map((keyspace) => tablesOf(client, keyspace)));
  return {
    dataCenters,
    keyspaces: new Set(present.rows.map((row) => text(row['keyspace_name']))),
    tables: new Map(tables.flat()),
    grants: await grants(client),
  };
}

async function tablesOf(client: CqlReader, keyspace: string): Promise<[string, TableFacts][]> {
  const where = 'WHERE keyspace_name = ?';
  const [tables, columns] = await Promise.all([
    client.execute(`SELECT table_name, comment, default_time_to_live FROM system_schema.tables ${where}`, [keyspace], {
      prepare: true,
    }),
    client.execute(
      `SELECT table_name, column_name, type, kind, position FROM system_schema.columns ${where}`,
      [keyspace],
      { prepare: true },
    ),
  ]);
  return tables.rows.map((table) => {
    const own = columns.rows.filter((column) => column['table_name'] === table['table_name']);
    const facts: TableFacts = {
      comment: text(table['comment']),
      defaultTimeToLive: Number(table['default_time_to_live']),
      columns: new Map(
        own.map((column) => [
          text(column['column_name']),
          {
            type: text(column['type']),
            kind: column['kind'] as ColumnFacts['kind'],
            position: Number(column['position']),
          },
        ]),
      ),
    };
    return [`${keyspace}.${text(table['table_name'])}`, facts];
  });
}

const TABLE_RESOURCE = /^<table ([^.>]+)\.([^>]+)>$/;

async function grants(client: CqlReader): Promise<ReadonlySet<string> | undefined> {
  try {
    const { rows } = await client.execute('LIST ALL PERMISSIONS');
    return new Set(
      rows.flatMap((row) => {
        const [, keyspace, table] = TABLE_RESOURCE.exec(text(row['resource'])) ?? [];
        if (keyspace === undefined || table === undefined) return [];
        return [grantKey(text(row['role']), text(row['permission']), keyspace, table)];
      }),
    );
  } catch (error) {
    // Another's cluster may hide its grants; then each is given again, which does no harm.
    if (asCassandraError(error).code === 'CASSANDRA_REFUSED') return undefined;
    throw error;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
