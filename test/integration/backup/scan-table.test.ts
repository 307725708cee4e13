import { errors, types, type Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  countRows,
  describeTable,
  keysOf,
  scanTable,
  total,
  type ScannedTable,
  type Scanner,
} from '../../../backup/restore/table/scan-table.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { withStack } from '../../support/stack.ts';

const NAME = { keyspace: 'scanned', table: 'numbers' };
const ROWS = 500;

const { connection } = withStack();
let client: Client;
let table: ScannedTable;

beforeAll(async () => {
  client = cassandraClient(connection, 'break-glass');
  await client.execute(
    `CREATE KEYSPACE scanned WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  );
  await client.execute('CREATE TABLE scanned.numbers (half int, number int, text text, PRIMARY KEY (half, number))');
  for (let number = 0; number < ROWS; number += 1)
    await client.execute(
      'INSERT INTO scanned.numbers (half, number, text) VALUES (?, ?, ?)',
      [Math.floor(number / 2), number, `row ${number}`],
      { prepare: true },
    );
  const described = await describeTable(client, NAME);
  if (described === undefined) throw new Error('the table is not there');
  table = described;
});

afterAll(async () => {
  await client.execute('DROP KEYSPACE IF EXISTS scanned');
  await client.shutdown();
});

/**
 * The real server, but for one thing that no server does when it is told to: the first `failures` reads end with `code`, after
 * their rows were given. `pages` is told of the size of each read's pages.
 */
function failing(failures: number, code: number, pages: (rows: number) => void = () => undefined): Scanner {
  let left = failures;
  return {
    execute: client.execute.bind(client),
    eachRow(query, params, options, take, ended) {
      const fails = left > 0;
      left -= 1;
      pages(options.fetchSize ?? 0);
      client.eachRow(query, params, options, take, (error: Error | null) =>
        ended(fails ? new errors.ResponseError(code, 'told to') : error),
      );
    },
  };
}

const { readFailure, unauthorized } = types.responseErrorCodes;

describe('a scan whose server fails a few times', () => {
  it('counts, adds up and names the same rows as one whose server does not, and asks for smaller pages', async () => {
    const pages: number[] = [];
    const sum = total(
      await scanTable(
        failing(3, readFailure, (rows) => pages.push(rows)),
        table,
      ),
    );
    expect(sum.rows).toBe(ROWS);
    expect(sum.hex()).toBe(total(await scanTable(client, table)).hex());
    expect(new Set(pages)).toEqual(new Set([2000, 1000]));
    expect(await countRows(failing(2, readFailure), NAME)).toBe(ROWS);
    expect(await keysOf(failing(1, readFailure), table, 20)).toEqual(await keysOf(client, table, 20));
  });

  it('is not made again where waiting mends nothing', async () => {
    const pages: number[] = [];
    const refused = scanTable(
      failing(Infinity, unauthorized, (rows) => pages.push(rows)),
      table,
    );
    await expect(refused).rejects.toMatchObject({ code: 'CASSANDRA_REFUSED' });
    expect(new Set(pages)).toEqual(new Set([2000]));
  });
});
