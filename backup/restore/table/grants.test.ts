import { expect, it } from 'vitest';
import { giveGrants } from './grants.ts';

const grant = (role: string, resource: string, permission: string) => ({ role, resource, permission });

it('the rights of a table are given as the backup has them, to roles that are there', async () => {
  const executed: string[] = [];
  const execute = (query: string) => {
    executed.push(query);
    return Promise.resolve({ rows: [{ role: 'worker' }, { role: 'break-glass' }] });
  };
  const client = { execute } as unknown as Parameters<typeof giveGrants>[0];
  const grants = [
    grant('worker', '<table ks.t>', 'MODIFY'),
    grant('worker', '<table ks.other>', 'SELECT'),
    grant('worker', '<keyspace ks>', 'SELECT'),
    grant('break-glass', '<table ks.t>', 'SELECT'),
    grant('gone', '<table ks.t>', 'SELECT'),
  ];
  const cassandra = { clusterName: '', partitioner: '', nodes: [], keyspaces: [], roles: [], grants };
  await giveGrants(client, { cassandra }, { keyspace: 'ks', table: 't' });
  expect(executed.slice(1)).toEqual([
    'GRANT MODIFY ON TABLE "ks"."t" TO "worker"',
    'GRANT SELECT ON TABLE "ks"."t" TO "break-glass"',
  ]);
});
