import type { Client } from 'cassandra-driver';
import { asCassandraError } from '../../../security/connect/cassandra.ts';
import type { RowFilter, TableName } from './scan-table.ts';

const PAGE_ROWS = 500;
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
  let pageState = '';
  do {
    const page = await execute(client, select, [only.value], { fetchSize: PAGE_ROWS, pageState });
    await Promise.all(
      page.rows.map((row) => {
        const values = row.values() as unknown[];
        const [time, life] = values.splice(-2);
        // A life of 0 is one without an end.
        return execute(client, insert, [...values, time, life ?? 0]);
      }),
    );
    pageState = page.isPaged() ? page.pageState : '';
  } while (pageState !== '');
}

async function execute(
  client: Pick<Client, 'execute'>,
  query: string,
  values: readonly unknown[],
  options: { readonly fetchSize?: number; readonly pageState?: string } = {},
) {
  const { pageState = '', ...more } = options;
  try {
    return await client.execute(query, [...values], {
      ...{ prepare: true, ...more },
      ...(pageState === '' ? {} : { pageState }),
    });
  } catch (error) {
    throw asCassandraError(error);
  }
}
