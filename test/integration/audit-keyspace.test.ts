import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { AUDIT_KEYSPACE, PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { withStack } from '../support/stack.ts';

const { connection } = withStack();
/** A table as a later version will have them: made by break-glass. */
const TABLE = `${AUDIT_KEYSPACE}.kept_here`;

/** Runs the statements one after another and tells what became of each. */
async function outcomes(principal: PrincipalName, statements: readonly string[]): Promise<string[]> {
  const client = cassandraClient(connection, principal);
  const found: string[] = [];
  try {
    for (const statement of statements) {
      await client.execute(statement).then(
        () => found.push('done'),
        (error: unknown) => found.push(asCassandraError(error).code),
      );
    }
  } finally {
    await client.shutdown();
  }
  return found;
}

const WRITE = (table: string) => `INSERT INTO ${table} (id, value) VALUES ('a', 'b')`;
const READ = (table: string) => `SELECT * FROM ${table}`;

beforeAll(() => outcomes('break-glass', [`CREATE TABLE ${TABLE} (id text PRIMARY KEY, value text)`]));

afterAll(() => outcomes('break-glass', [`DROP TABLE IF EXISTS ${TABLE}`]));

describe('the audit keyspace', () => {
  it.each(PRINCIPAL_NAMES.filter((name) => name !== 'break-glass'))(
    '%s has the rights of its row alone',
    async (name) => {
      const expected = {
        write: name === 'notary' ? 'done' : 'CASSANDRA_REFUSED',
        read: name === 'notary' || name === 'auditor' ? 'done' : 'CASSANDRA_REFUSED',
      };
      expect(await outcomes(name, [WRITE(TABLE), READ(TABLE)])).toEqual([expected.write, expected.read]);
    },
  );

  it('is not the operator’s: it can neither change it nor grant itself anything on it', async () => {
    const attempts = [
      `ALTER KEYSPACE ${AUDIT_KEYSPACE} WITH durable_writes = false`,
      `DROP KEYSPACE ${AUDIT_KEYSPACE}`,
      ...['ALL PERMISSIONS', 'MODIFY', 'AUTHORIZE'].flatMap((right) => [
        `GRANT ${right} ON KEYSPACE ${AUDIT_KEYSPACE} TO operator`,
        `GRANT ${right} ON TABLE ${TABLE} TO operator`,
        `GRANT ${right} ON ALL KEYSPACES TO operator`,
      ]),
      'GRANT notary TO operator',
      `ALTER TABLE ${TABLE} WITH comment = 'mine'`,
      `ALTER TABLE ${TABLE} WITH default_time_to_live = 1`,
      `CREATE INDEX ON ${TABLE} (value)`,
      `TRUNCATE ${TABLE}`,
      `DROP TABLE ${TABLE}`,
    ];
    expect(await outcomes('operator', attempts)).toEqual(attempts.map(() => 'CASSANDRA_REFUSED'));
  });
});
