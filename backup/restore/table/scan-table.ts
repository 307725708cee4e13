import type { Client, QueryOptions, types } from 'cassandra-driver';
import { forEachOf } from '../../../core/async/for-each.ts';
import { retry } from '../../../core/async/retry.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { asCassandraError } from '../../../security/connect/cassandra/cassandra.ts';
import { createRowSum, type RowSum } from './row-sum.ts';
import { tokenRanges, type TokenRange } from './token-ranges.ts';

export interface TableName {
  readonly keyspace: string;
  readonly table: string;
}

/** The columns of a table as a scan needs them. */
export interface ScannedTable extends TableName {
  readonly partitionKey: readonly string[];
  readonly clusteringKey: readonly string[];
  /** Every column, in the order of names. */
  readonly columns: readonly string[];
  /** The only rows that count, where not all do: those with this text in this column. */
  readonly only?: RowFilter | undefined;
}

export interface RowFilter {
  readonly column: string;
  readonly value: string;
}

/** What a scan needs of a `Client`. */
export interface Scanner extends Pick<Client, 'execute'> {
  eachRow(
    query: string,
    params: unknown[],
    options: QueryOptions,
    take: (index: number, row: types.Row) => void,
    ended: (error: Error | null | undefined) => void,
  ): void;
}

/** Ranges are scanned on their own, so that tables can be compared piece by piece. */
const RANGES = 64;
const RANGES_AT_ONCE = 4;
const PAGE_ROWS = 2000;
/** With the last of these attempts a page is of 62 rows. */
const ATTEMPTS = 6;
const FIRST_DELAY_MILLISECONDS = 500;
const LONGEST_DELAY_MILLISECONDS = 5000;

/** Reads what a scan needs to know of a table; undefined where there is none. */
export async function describeTable(
  client: Pick<Client, 'execute'>,
  name: TableName,
): Promise<ScannedTable | undefined> {
  const { rows } = await client
    .execute(
      'SELECT column_name, kind, position FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
      [name.keyspace, name.table],
      { prepare: true },
    )
    .catch(failed);
  if (rows.length === 0) return undefined;
  const columns = rows.map((row) => ({
    name: String(row['column_name']),
    kind: String(row['kind']),
    position: Number(row['position']),
  }));
  const key = (kind: string): string[] =>
    columns
      .filter((column) => column.kind === kind)
      .toSorted((a, b) => a.position - b.position)
      .map((column) => column.name);
  return {
    ...name,
    partitionKey: key('partition_key'),
    clusteringKey: key('clustering'),
    columns: columns.map(({ name: column }) => column).toSorted(),
  };
}

/**
 * What a table holds: its rows, added up for each range of tokens, each as the JSON that Cassandra gives of it: one value a
 * row costs a third of one a column. JSON tells every value from any other but the numbers that it has no word for (NaN
 * and the infinities read as null); no contract lets these through. Rows whose life is over are not counted: Cassandra
 * does not give them.
 */
export async function scanTable(client: Scanner, table: ScannedTable): Promise<readonly RowSum[]> {
  const row = `JSON ${table.columns.map(quoted).join(', ')}`;
  const scans = rangesOf(table).map((range) => ({ range, sum: createRowSum() }));
  await forEachOf(scans, RANGES_AT_ONCE, async (scan) => {
    scan.sum = await patiently(async (pageRows) => {
      const sum = createRowSum();
      await eachRowOf(client, table, row, scan.range, pageRows, (json) => sum.add(String(json.get(0))));
      return sum;
    });
  });
  return scans.map(({ sum }) => sum);
}

/** Whether a table shows no row: what was deleted may hide there all the same. */
export async function isEmptyTable(
  client: Pick<Client, 'execute'>,
  { keyspace, table, partitionKey }: ScannedTable,
): Promise<boolean> {
  const query = `SELECT ${partitionKey.map(quoted).join(', ')} FROM ${quoted(keyspace)}.${quoted(table)} LIMIT 1`;
  return (await client.execute(query).catch(failed)).rows.length === 0;
}

/** How many rows a table has. */
export async function countRows(client: Scanner, name: TableName): Promise<number> {
  const table = await describeTable(client, name);
  if (table === undefined) return 0;
  let rows = 0;
  await forEachOf(rangesOf(table), RANGES_AT_ONCE, async (range) => {
    let counted = 0;
    const count = (row: types.Row): void => void (counted = Number(row.get(0)));
    await patiently((pageRows) => eachRowOf(client, table, 'COUNT(*)', range, pageRows, count));
    rows += counted;
  });
  return rows;
}

/** The keys of a range's rows, as CQL literals in text, such as `(home-0001, 2026-11-28, …)`, which sort as texts do. */
export async function keysOf(client: Scanner, table: ScannedTable, rangeIndex: number): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const range = rangesOf(table)[rangeIndex];
  if (range === undefined) return keys;
  const chosen = [...table.partitionKey, ...table.clusteringKey].map((name) => `CAST("${name}" AS text)`);
  await patiently((pageRows) =>
    eachRowOf(client, table, chosen.join(', '), range, pageRows, (row) =>
      keys.add(`(${row.values().map(String).join(', ')})`),
    ),
  );
  return keys;
}

/** A filter may be on a part of the key, which Cassandra does not take together with tokens. */
function rangesOf({ only }: ScannedTable): readonly TokenRange[] {
  return tokenRanges(only === undefined ? RANGES : 1);
}

/** The sums of all ranges together. */
export function total(sums: readonly RowSum[]): RowSum {
  const all = createRowSum();
  for (const sum of sums) all.addSum(sum);
  return all;
}

/**
 * Reads again what a server failed to give, from the beginning, with half the rows a page each time: one that has just
 * taken in many files, on a machine that is busy, may not get through a page in its time.
 */
function patiently<T>(read: (pageRows: number) => Promise<T>): Promise<T> {
  return retry((attempt) => read(Math.floor(PAGE_ROWS / 2 ** (attempt - 1))), {
    firstDelayMilliseconds: FIRST_DELAY_MILLISECONDS,
    longestDelayMilliseconds: LONGEST_DELAY_MILLISECONDS,
    attempts: ATTEMPTS,
    retryable: (error) => error instanceof WardlineError && error.retryable,
  });
}

function eachRowOf(
  client: Scanner,
  { keyspace, table, partitionKey, only }: ScannedTable,
  chosen: string,
  { from, to }: TokenRange,
  pageRows: number,
  take: (row: types.Row) => void,
): Promise<void> {
  const token = `token(${partitionKey.map(quoted).join(', ')})`;
  // Cassandra gives the least token to no row: it stands for "before all others".
  const within = `${token} > ${from} AND ${token} <= ${to}`;
  const where = only === undefined ? within : `${quoted(only.column)} = ? ALLOW FILTERING`;
  const query = `SELECT ${chosen} FROM ${quoted(keyspace)}.${quoted(table)} WHERE ${where}`;
  return new Promise((resolve, reject) => {
    client.eachRow(
      query,
      only === undefined ? [] : [only.value],
      { prepare: true, autoPage: true, fetchSize: pageRows },
      (_, row) => take(row),
      (error) => (error === null || error === undefined ? resolve() : reject(asCassandraError(error))),
    );
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function failed(error: unknown): never {
  throw asCassandraError(error);
}
