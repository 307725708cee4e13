import { describe, expect, it } from 'vitest';
import { codeOf, codeOfAsync } from '../../../test/support/failure.ts';
import { ensureTable, makeTableIn, tablesOf, type BackedUpTable } from './schema.ts';

const KEYSPACE = "CREATE KEYSPACE iot_data WITH replication = {'class': 'SimpleStrategy'};";
const TABLE: BackedUpTable = {
  keyspace: 'iot_data',
  table: 'readings',
  keyspaceCql: KEYSPACE,
  cql: [
    "CREATE TABLE iot_data.readings (a text PRIMARY KEY) WITH comment = 'of iot_data.readings';",
    'CREATE CUSTOM INDEX by_a ON iot_data.readings (a);',
  ],
};

/** Keeps what it is asked to execute; the table stands where `stands` says so. */
function recordingClient(stands: boolean) {
  const executed: string[] = [];
  const execute = (query: string) => {
    executed.push(query);
    return Promise.resolve({ rows: stands && query.startsWith('SELECT') ? [{}] : [] });
  };
  return { executed, client: { execute } as unknown as Parameters<typeof ensureTable>[0] };
}

describe('the tables of a backup', () => {
  const made = (name: string) => ({ name, id: name, cql: [`CREATE TABLE ks.${name} (a text PRIMARY KEY);`] });
  const manifest = {
    id: '20261128T021800Z-0a1b2c',
    cassandra: {
      ...{ clusterName: 'c', partitioner: 'p', nodes: [], roles: [], grants: [] },
      keyspaces: [{ name: 'ks', cql: 'CREATE KEYSPACE ks;', tables: [made('one'), made('two')] }],
    },
  };

  it('are all, or the one that is named', () => {
    expect(tablesOf(manifest).map(({ keyspace, table }) => `${keyspace}.${table}`)).toEqual(['ks.one', 'ks.two']);
    expect(tablesOf(manifest, 'ks.two')).toHaveLength(1);
  });

  it('are named where another is asked for', () => {
    expect(codeOf(() => tablesOf(manifest, 'ks.three'))).toBe('BACKUP_NOT_FOUND');
  });
});

describe('a table', () => {
  it('that is missing is made as it was, with its indexes', async () => {
    const { client, executed } = recordingClient(false);
    expect(await ensureTable(client, TABLE)).toBe(true);
    expect(executed.filter((query) => !query.startsWith('SELECT'))).toEqual([
      KEYSPACE.replace('KEYSPACE', 'KEYSPACE IF NOT EXISTS'),
      ...TABLE.cql,
    ]);
  });

  it('that stands is left as it is', async () => {
    const { client, executed } = recordingClient(true);
    expect(await ensureTable(client, TABLE)).toBe(false);
    expect(executed.some((query) => query.startsWith('CREATE TABLE'))).toBe(false);
  });

  it('is made in another keyspace under its own name, whatever its comment says', async () => {
    const { client, executed } = recordingClient(false);
    await makeTableIn(client, 'copy', TABLE);
    expect(executed).toEqual([
      "CREATE KEYSPACE IF NOT EXISTS copy WITH replication = {'class': 'SimpleStrategy'};",
      "CREATE TABLE copy.readings (a text PRIMARY KEY) WITH comment = 'of iot_data.readings';",
      'CREATE CUSTOM INDEX by_a ON copy.readings (a);',
    ]);
  });

  it('of a quoted name is found as well, and a statement that names another is refused', async () => {
    const { client, executed } = recordingClient(false);
    const quoted = {
      ...TABLE,
      keyspace: 'Iot',
      keyspaceCql: 'CREATE KEYSPACE "Iot";',
      cql: ['CREATE TABLE "Iot".t (a int PRIMARY KEY);'],
    };
    await makeTableIn(client, 'copy', quoted);
    expect(executed).toEqual(['CREATE KEYSPACE IF NOT EXISTS copy;', 'CREATE TABLE copy.t (a int PRIMARY KEY);']);
    expect(await codeOfAsync(() => makeTableIn(client, 'copy', { ...TABLE, keyspace: 'other' }))).toBe(
      'BACKUP_DAMAGED',
    );
  });
});
