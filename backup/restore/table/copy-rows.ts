import type { Client } from 'cassandra-driver';
import { forEachOf } from '../../../core/async/for-each.ts';
import { asCassandraError } from '../../../security/connect/cassandra/cassandra.ts';
import type { RowFilter, TableName } from './scan-table.ts';

const PAGE_ROWS = 500;
const ROWS_AT_ONCE = 64;
/** Written with every row at the row's own time and for the row's own life: it tells both. */
const WITNESS = 'wardline_offset';

/**
 * Copies the rows that a filter names from one table into another with the same columns: with their write timestamps and
 * what is left of their lives, so that what is newer in the other table stays. Copied twice, rows are the same.
 */
export async function copyRows(
  client: Pick<Client, 'execute'>,
  from: TableName,
  to: TableName,
  only: RowFilter,
): Promise<void> {
  const described = await execute(
    client,
    'SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
    [from.keyspace, from.table],
  );
  const columns = described.rows.map((row) => `"${String(row['column_name'])}"`);
  const select = `SELECT ${columns.join(', ')}, WRITETIME(${WITNESS}), TTL(${WITNESS}) FROM "${from.keyspace}"."${from.table}" WHERE "${only.column}" = ? ALLOW FILTERING`;
  const insert = `INSERT INTO "${to.keyspace}"."${to.table}" (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) USING TIMESTAMP ? AND TTL ?`;
  await forEachOf(await execute(client, select, [only.value]), ROWS_AT_ONCE, async (row) => {
    const values = row.values() as unknown[];
    const [time, life] = values.splice(-2);
    // A life of 0 is one without an end.
    await execute(client, insert, [...values, time, life ?? 0]);
  });
}

async function execute(client: Pick<Client, 'execute'>, query: string, values: readonly unknown[]) {
  try {
    return await client.execute(query, [...values], { prepare: true, fetchSize: PAGE_ROWS });
  } catch (error) {
    throw asCassandraError(error);
  }
}
