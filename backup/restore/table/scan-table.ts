import type { Client } from 'cassandra-driver';
import { forEachOf } from '../../../core/async/for-each.ts';
import { asCassandraError } from '../../../security/connect/cassandra.ts';
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
  /** Every column by name, in the order of names, with the CQL that gives its value as bytes. */
  readonly columns: readonly { readonly name: string; readonly asBytes: string }[];
  /** The only rows that count, where not all do: those with this text in this column. */
  readonly only?: RowFilter | undefined;
}

export interface RowFilter {
  readonly column: string;
  readonly value: string;
}

export type Scanner = Pick<Client, 'execute' | 'eachRow'>;

/** Ranges are scanned on their own, so that tables can be compared piece by piece. */
const RANGES = 64;
const RANGES_AT_ONCE = 4;
const PAGE_ROWS = 2000;
/** Types of which Cassandra gives the bytes by a function of its own. */
const SIMPLE = new Set(
  'ascii bigint boolean date decimal double float inet int smallint text time timestamp timeuuid tinyint uuid varint'.split(
    ' ',
  ),
);

/** Reads what a scan needs to know of a table; undefined where there is none. */
export async function describeTable(
  client: Pick<Client, 'execute'>,
  name: TableName,
): Promise<ScannedTable | undefined> {
  const { rows } = await client
    .execute(
      'SELECT column_name, type, kind, position FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
      [name.keyspace, name.table],
      { prepare: true },
    )
    .catch(failed);
  if (rows.length === 0) return undefined;
  const columns = rows.map((row) => ({
    name: String(row['column_name']),
    type: String(row['type']),
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
    columns: columns
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((column) => ({ name: column.name, asBytes: asBytes(column.name, column.type) })),
  };
}

/** What a table holds: its rows, added up for each range of tokens. Rows whose life is over are not counted: Cassandra does not give them. */
export async function scanTable(client: Scanner, table: ScannedTable): Promise<readonly RowSum[]> {
  const chosen = table.columns.map((column) => column.asBytes);
  const scans = rangesOf(table).map((range) => ({ range, sum: createRowSum() }));
  await forEachOf(scans, RANGES_AT_ONCE, ({ range, sum }) =>
    eachRowOf(client, table, chosen, range, (values) => sum.add(rowBytes(values))),
  );
  return scans.map(({ sum }) => sum);
}

/** The keys of a range's rows, as CQL literals in text, such as `(home-0001, 2026-11-28, …)`, which sort as texts do. */
export async function keysOf(client: Scanner, table: ScannedTable, rangeIndex: number): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const range = rangesOf(table)[rangeIndex];
  if (range === undefined) return keys;
  const chosen = [...table.partitionKey, ...table.clusteringKey].map((name) => `CAST("${name}" AS text)`);
  await eachRowOf(client, table, chosen, range, (values) => keys.add(`(${values.map(String).join(', ')})`));
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

function eachRowOf(
  client: Scanner,
  { keyspace, table, partitionKey, only }: ScannedTable,
  chosen: readonly string[],
  { from, to }: TokenRange,
  take: (values: readonly unknown[]) => void,
): Promise<void> {
  const token = `token(${partitionKey.map(quoted).join(', ')})`;
  // Cassandra gives the least token to no row: it stands for "before all others".
  const within = `${token} > ${from} AND ${token} <= ${to}`;
  const where = only === undefined ? within : `${quoted(only.column)} = ? ALLOW FILTERING`;
  const query = `SELECT ${chosen.join(', ')} FROM ${quoted(keyspace)}.${quoted(table)} WHERE ${where}`;
  return new Promise((resolve, reject) => {
    client.eachRow(
      query,
      only === undefined ? [] : [only.value],
      { prepare: true, autoPage: true, fetchSize: PAGE_ROWS },
      (_, row) => take(row.values()),
      (error: unknown) => (error === null || error === undefined ? resolve() : reject(asCassandraError(error))),
    );
  });
}

function asBytes(name: string, type: string): string {
  if (type === 'blob') return quoted(name);
  return SIMPLE.has(type) ? `${type}_as_blob(${quoted(name)})` : `text_as_blob(to_json(${quoted(name)}))`;
}

/** Values one behind the other, each with its length, which is 2^32 − 1 for null: no two rows have the same bytes. */
function rowBytes(values: readonly unknown[]): Buffer {
  let size = 0;
  for (const value of values) size += 4 + (Buffer.isBuffer(value) ? value.length : 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of values) {
    if (Buffer.isBuffer(value)) {
      at = bytes.writeUInt32BE(value.length, at);
      at += value.copy(bytes, at);
    } else at = bytes.writeUInt32BE(0xffff_ffff, at);
  }
  return bytes;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function failed(error: unknown): never {
  throw asCassandraError(error);
}
