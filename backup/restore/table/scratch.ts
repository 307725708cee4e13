import type { Client } from 'cassandra-driver';
import { asCassandraError } from '../../../security/connect/cassandra/cassandra.ts';
import { describeTable, keysOf, scanTable, total, type RowFilter, type Scanner, type TableName } from './scan-table.ts';
import { makeTableIn, type BackedUpTable } from './schema.ts';

/** Keyspaces of this beginning belong to restores under way; no backup holds them. */
const PREFIX = 'wardline_restore_';

/** Where a backup's tables are looked at apart from those that stand. */
function scratchKeyspace(keyspace: string): string {
  return `${PREFIX}${keyspace}`.slice(0, 48);
}

export async function dropScratch(client: Pick<Client, 'execute'>, keyspace: string): Promise<void> {
  await client.execute(`DROP KEYSPACE IF EXISTS "${scratchKeyspace(keyspace)}"`).catch((error: unknown) => {
    throw asCassandraError(error);
  });
}

/** Makes a table of a backup, empty, in a scratch keyspace; what a call that was interrupted left there goes first. */
export async function makeScratch(client: Pick<Client, 'execute'>, table: BackedUpTable): Promise<TableName> {
  await dropScratch(client, table.keyspace);
  const keyspace = scratchKeyspace(table.keyspace);
  await makeTableIn(client, keyspace, table);
  return { keyspace, table: table.table };
}

/** How a table that stands differs from one that holds the backup's rows and no others. */
export interface Comparison {
  /** Of the backup's rows as of its snapshot, those left out whose life is over. */
  readonly backedUp: CountedTable;
  readonly live: TableFigures;
  /** Rows of the backup that the table does not show: something newer deleted them. */
  readonly hidden: number;
  /** The keys of some of them. */
  readonly hiddenKeys: readonly string[];
}

export interface TableFigures {
  readonly rows: number;
  /** See RowSum. */
  readonly digest: string;
}

/** The same where rows may have been counted alone. */
export type CountedTable = Pick<TableFigures, 'rows'> & { readonly digest: string | null };

const MOST_KEYS_SHOWN = 10;

/** The rows of a table and their digest; of a table that is not there, none. */
export async function figuresOf(client: Scanner, name: TableName, only?: RowFilter): Promise<TableFigures> {
  const table = await describeTable(client, name);
  const sum = total(table === undefined ? [] : await scanTable(client, { ...table, only }));
  return { rows: sum.rows, digest: sum.hex() };
}

/** Compares range by range, and key by key only where ranges differ: memory is bounded by a range. */
export async function compareTables(
  client: Scanner,
  backedUp: TableName,
  live: TableName,
  only?: RowFilter,
): Promise<Comparison> {
  const found = await Promise.all([backedUp, live].map((name) => describeTable(client, name)));
  const [then, now] = found.map((table) => (table === undefined ? undefined : { ...table, only }));
  if (then === undefined || now === undefined) throw new RangeError('both tables must be there');
  // The same columns on both sides: one that was added since would make every row another.
  const names = new Set(then.columns);
  const columns = now.columns.filter((name) => names.has(name));
  const [sums, liveSums] = [
    await scanTable(client, { ...then, columns }),
    await scanTable(client, { ...now, columns }),
  ];
  const hidden: string[] = [];
  let count = 0;
  for (const [index, sum] of sums.entries()) {
    if (sum.hex() === liveSums[index]?.hex()) continue;
    const shown = await keysOf(client, now, index);
    for (const key of await keysOf(client, then, index)) {
      if (shown.has(key)) continue;
      count += 1;
      if (hidden.length < MOST_KEYS_SHOWN) hidden.push(key);
    }
  }
  const [all, allLive] = [total(sums), total(liveSums)];
  return {
    backedUp: { rows: all.rows, digest: all.hex() },
    live: { rows: allLive.rows, digest: allLive.hex() },
    ...{ hidden: count, hiddenKeys: hidden },
  };
}
