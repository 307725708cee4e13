import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { cassandraGrants, grantStatement } from '../../security/principals/cassandra-grants.ts';
import { KEYS_KEYSPACE, PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { withStack } from '../support/stack.ts';

const { connection } = withStack();
const KEYSPACE = 'principals_data';
const DATA = `${KEYSPACE}.readings`;
const PERSONAL = `${KEYS_KEYSPACE}.principals_personal`;
const RESTRICTED = `${KEYS_KEYSPACE}.principals_restricted`;
const REPLICATION = "{'class': 'SimpleStrategy', 'replication_factor': 1}";

const ATTEMPTS = {
  'read data': `SELECT * FROM ${DATA}`,
  'write data': `INSERT INTO ${DATA} (id, value) VALUES ('a', 'b')`,
  'delete data': `DELETE FROM ${DATA} WHERE id = 'a'`,
  'read personal keys': `SELECT * FROM ${PERSONAL}`,
  'write personal keys': `INSERT INTO ${PERSONAL} (id, value) VALUES ('a', 'b') IF NOT EXISTS`,
  'read restricted keys': `SELECT * FROM ${RESTRICTED}`,
  'write restricted keys': `INSERT INTO ${RESTRICTED} (id, value) VALUES ('a', 'b') IF NOT EXISTS`,
  'read roles': 'SELECT * FROM system_auth.roles',
  'change data table': `ALTER TABLE ${DATA} WITH comment = 'changed'`,
  'grant itself rights': `GRANT MODIFY ON TABLE ${PERSONAL} TO worker`,
  'make a role': `CREATE ROLE principals_intruder WITH LOGIN = true AND SUPERUSER = false`,
  "change another's password": `ALTER ROLE "break-glass" WITH HASHED PASSWORD = '$2a$10$JSJEMFm6GeaW9XxT5JIheuEtPvat6i7uKbnTcxX3c1wshIIsGyUtG'`,
  'become a superuser': 'ALTER ROLE worker WITH SUPERUSER = true',
} as const;

type Attempt = keyof typeof ATTEMPTS;
const ALL = Object.keys(ATTEMPTS) as Attempt[];

/** What the table of principals says, once more and by hand; the operator has every right on what it made. */
const MAY: Readonly<Record<PrincipalName, readonly Attempt[]>> = {
  source: ['read personal keys', 'write personal keys', 'read restricted keys', 'write restricted keys'],
  worker: ['read data', 'write data', 'delete data'],
  notary: [],
  recorder: [],
  auditor: [],
  reader: ['read data', 'read personal keys'],
  archiver: ['read roles'],
  operator: ALL.filter(
    (name) => !['read roles', 'make a role', "change another's password", 'become a superuser'].includes(name),
  ),
  // A superuser may do all of it: nothing is learnt from trying.
  'break-glass': [],
};

async function as<T>(principal: PrincipalName, work: (client: Client) => Promise<T>): Promise<T> {
  const client = cassandraClient(connection, principal);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.shutdown();
  }
}

async function outcome(client: Client, statement: string): Promise<string> {
  try {
    await client.execute(statement);
    return 'done';
  } catch (error) {
    return asCassandraError(error).code;
  }
}

beforeAll(async () => {
  const grants = cassandraGrants({
    kind: 'contract',
    keyspace: KEYSPACE,
    table: 'readings',
    keysTables: [
      { classification: 'personal', keyspace: KEYS_KEYSPACE, table: 'principals_personal' },
      { classification: 'restricted', keyspace: KEYS_KEYSPACE, table: 'principals_restricted' },
    ],
    roles: [{ role: 'reader', access: 'read', opens: ['personal'] }],
  });
  await as('operator', async (client) => {
    for (const keyspace of [KEYSPACE, KEYS_KEYSPACE])
      await client.execute(`CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${REPLICATION}`);
    for (const table of [DATA, PERSONAL, RESTRICTED])
      await client.execute(`CREATE TABLE IF NOT EXISTS ${table} (id text PRIMARY KEY, value text)`);
    for (const grant of grants) await client.execute(grantStatement(grant));
  });
});

afterAll(() =>
  as('break-glass', async (client) => {
    await client.execute(`DROP KEYSPACE ${KEYSPACE}`).catch(() => undefined);
    for (const table of [PERSONAL, RESTRICTED]) await client.execute(`DROP TABLE ${table}`).catch(() => undefined);
  }),
);

describe.each(PRINCIPAL_NAMES.filter((name) => name !== 'break-glass'))('%s', (principal) => {
  it('does what its row of the table gives, and nothing else', async () => {
    const outcomes = await as(principal, async (client) => {
      const found: [Attempt, string][] = [];
      for (const name of ALL) found.push([name, await outcome(client, ATTEMPTS[name])]);
      return found;
    });
    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(ALL.map((name) => [name, MAY[principal].includes(name) ? 'done' : 'CASSANDRA_REFUSED'])),
    );
  });
});
