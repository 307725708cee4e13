import { expect, it } from 'vitest';
import { setUpByHand } from './by-hand.ts';

const { users, topics, acls, cql } = setUpByHand((principal) => `x-${principal}`);

it('names every principal as the servers know it', () => {
  expect(users).toContain('x-source');
  for (const line of [...acls, ...cql.filter((statement) => /^(GRANT|CREATE ROLE)/.test(statement))])
    expect(line).toMatch(/x-[a-z-]+/);
});

it('spells the rules as Kafka’s own command does', () => {
  expect(acls).toContain("--add --allow-principal 'User:x-source' --operation Write --topic 'wardline.audit'");
  expect(acls).toContain(
    "--add --deny-principal 'User:x-operator' --operation AlterConfigs --topic 'wardline.checkpoints'",
  );
  expect(acls).toContain(
    "--add --allow-principal 'User:x-auditor' --operation Read --group 'wardline.auditor' --resource-pattern-type prefixed",
  );
  expect(acls).toContain("--add --allow-principal 'User:x-operator' --operation DescribeConfigs --cluster");
});

it('keeps the audit topics for ever', () => {
  expect(topics).toHaveLength(2);
  for (const topic of topics) expect(topic).toContain('--config retention.ms=-1');
});

it('makes roles, then the audit keyspace and what is in it, then grants; one superuser, no password', () => {
  const kinds = cql.map((statement) => /^(CREATE (ROLE|KEYSPACE|TABLE)|GRANT)/.exec(statement)?.[0]);
  expect([...new Set(kinds)]).toEqual(['CREATE ROLE', 'CREATE KEYSPACE', 'CREATE TABLE', 'GRANT']);
  expect(cql.filter((statement) => statement.includes('SUPERUSER = true'))).toHaveLength(1);
  expect(cql.join('\n')).not.toMatch(/password/i);
});
