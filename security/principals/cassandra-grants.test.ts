import { describe, expect, it } from 'vitest';
import { cassandraGrants, grantStatement, revokeStatement, withdrawnCassandraGrants } from './cassandra-grants.ts';

const keysTables = [
  { classification: 'personal', keyspace: 'wardline_keys', table: 'smart_home_personal' },
  { classification: 'restricted', keyspace: 'wardline_keys', table: 'smart_home_restricted' },
] as const;

const contract = {
  kind: 'contract',
  keyspace: 'iot_data',
  table: 'readings',
  keysTables,
  roles: [
    { role: 'reader', access: 'read', opens: ['personal'] },
    { role: 'auditor', access: 'read', opens: ['restricted'] },
  ],
} as const;

function statements(role: string): string[] {
  return cassandraGrants(contract)
    .filter((grant) => grant.role === role)
    .map((grant) => grantStatement(grant));
}

describe('cassandraGrants', () => {
  it('lets the source keep keys and reach no data', () => {
    expect(statements('source')).toEqual([
      'GRANT SELECT ON TABLE "wardline_keys"."smart_home_personal" TO "source"',
      'GRANT MODIFY ON TABLE "wardline_keys"."smart_home_personal" TO "source"',
      'GRANT SELECT ON TABLE "wardline_keys"."smart_home_restricted" TO "source"',
      'GRANT MODIFY ON TABLE "wardline_keys"."smart_home_restricted" TO "source"',
    ]);
  });

  it('lets the worker store rows and reach no key', () => {
    expect(statements('worker')).toEqual([
      'GRANT SELECT ON TABLE "iot_data"."readings" TO "worker"',
      'GRANT MODIFY ON TABLE "iot_data"."readings" TO "worker"',
    ]);
  });

  it('lets the reader reach only keys of classes that its role opens', () => {
    expect(statements('reader')).toEqual([
      'GRANT SELECT ON TABLE "iot_data"."readings" TO "reader"',
      'GRANT SELECT ON TABLE "wardline_keys"."smart_home_personal" TO "reader"',
    ]);
  });

  it('opens no key for a role that may only write', () => {
    const grants = cassandraGrants({
      ...contract,
      roles: [{ role: 'reader', access: 'write', opens: ['restricted'] }],
    });
    expect(grants.filter((grant) => grant.role === 'reader')).toHaveLength(1);
  });

  it('gives nothing of a contract to a principal whose row of the table has nothing', () => {
    expect(['auditor', 'notary', 'recorder', 'archiver', 'operator', 'break-glass'].flatMap(statements)).toEqual([]);
  });

  it('gives MODIFY on the audit keyspace to the notary alone', () => {
    const grants = cassandraGrants({ kind: 'audit', keyspace: 'audit' });
    expect(grants.filter((grant) => grant.permission === 'MODIFY').map((grant) => grant.role)).toEqual(['notary']);
    expect(grants.map((grant) => grant.role)).toEqual(['notary', 'notary', 'auditor']);
  });

  it('gives nobody SELECT or MODIFY on every keyspace', () => {
    const wide = cassandraGrants({ kind: 'base' }).filter((grant) => grant.resource.type === 'all keyspaces');
    expect(wide.map((grant) => `${grant.role} ${grant.permission}`)).toEqual(['operator CREATE']);
  });

  it('withdraws what an earlier version of the contract may have given', () => {
    expect(withdrawnCassandraGrants(contract).map((grant) => revokeStatement(grant))).toEqual([
      'REVOKE SELECT ON TABLE "wardline_keys"."smart_home_restricted" FROM "reader"',
    ]);
  });

  it('quotes a name so that it cannot end the statement', () => {
    const [grant] = cassandraGrants({ kind: 'audit', keyspace: 'a" TO x; DROP' });
    expect(grant && grantStatement(grant, () => 'break-glass')).toBe(
      'GRANT SELECT ON KEYSPACE "a"" TO x; DROP" TO "break-glass"',
    );
  });
});
