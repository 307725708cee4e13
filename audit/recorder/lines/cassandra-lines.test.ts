import { describe, expect, it } from 'vitest';
import type { LineMeaning } from '../act.ts';
import { cassandraAuditLine } from './cassandra-lines.ts';
import { parseEntry } from './entry.ts';

/** What every line here has in common, as Cassandra 5.0.9 writes it. */
function line(user: string, fields: string): string {
  return `2026-11-24T22:10:31.952Z INFO user:${user}|host:/127.0.0.1:22590|source:/127.0.0.1|port:45994|timestamp:1795558231952|${fields} (org.apache.cassandra.audit.FileAuditLogger)`;
}

function read(text: string): LineMeaning | undefined {
  const entry = parseEntry(text);
  return entry === undefined ? undefined : cassandraAuditLine(entry);
}

const NODE = { type: 'cassandra', id: '127.0.0.1:22590' };
const who = (principal: string, more: Readonly<Record<string, string>> = {}) => ({
  principal,
  address: '127.0.0.1',
  ...more,
});

describe('a login', () => {
  it('is told by who logged in', () => {
    expect(read(line('worker', 'type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL'))).toEqual({
      action: 'server.login',
      object: NODE,
      outcome: 'success',
      details: who('worker'),
    });
  });

  it.each([
    ['operator', { tried: 'operator' }],
    ['hunter2', {}],
    [
      'x|host:/6.6.6.6:1|source:/6.6.6.6|port:1|timestamp:1|type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL',
      {},
    ],
  ])('that was refused names %s only if it is a principal', (tried, more) => {
    const refused = `type:LOGIN_ERROR|category:AUTH|operation:LOGIN FAILURE; Provided username ${tried} and/or password *******`;
    expect(read(line('null', refused))).toEqual({
      action: 'server.login',
      object: NODE,
      ...{ outcome: 'denied', code: 'PASSWORD_LOGIN_FAILED' },
      details: { address: '127.0.0.1', ...more },
    });
  });

  it('of a role whose name reads like a line does not pass for another', () => {
    const name =
      'reader|host:/6.6.6.6:1|source:/6.6.6.6|port:1|timestamp:1|type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL';
    expect(read(line(name, 'type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL'))).toBe('unreadable');
    expect(read(line('a|b', 'type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL'))).toBe('unreadable');
  });
});

describe('a statement that was denied', () => {
  const denied = { action: 'server.access', outcome: 'denied', code: 'PERMISSION_DENIED' };

  it('is told with the table that Cassandra names, not the keyspace that the client had chosen', () => {
    const text = `type:UNAUTHORIZED_ATTEMPT|category:AUTH|ks:rec_test|operation:SELECT * FROM system_auth.roles WHERE x = 'GEHEIM'; User worker has no SELECT permission on <table system_auth.roles> or any of its parents`;
    expect(read(line('worker', text))).toEqual({
      ...denied,
      object: { type: 'table', id: 'system_auth.roles' },
      details: who('worker', { statement: 'UNAUTHORIZED_ATTEMPT', right: 'SELECT' }),
    });
  });

  it.each([
    ['<keyspace iot_data>', { type: 'keyspace', id: 'iot_data' }],
    ['<all keyspaces>', { type: 'keyspace', id: '*' }],
    ['<all tables in iot_data>', { type: 'table', id: 'iot_data.*' }],
  ])('on %s', (resource, object) => {
    const text = `type:UNAUTHORIZED_ATTEMPT|category:AUTH|operation:x; User worker has no CREATE permission on ${resource} or any of its parents`;
    expect(read(line('worker', text))).toMatchObject({ object });
  });

  it('names no table where the statement itself speaks of one as Cassandra does, nor where Cassandra names none', () => {
    const reason = 'User worker has no SELECT permission on <table a.b> or any of its parents';
    const twice = `type:UNAUTHORIZED_ATTEMPT|category:AUTH|operation:SELECT 1 /*; ${reason}*/; ${reason}`;
    expect(read(line('worker', twice))).toMatchObject({ ...denied, object: NODE });
    const none =
      "type:UNAUTHORIZED_ATTEMPT|category:AUTH|operation:CREATE ROLE hacker WITH PASSWORD = '*******'; User worker does not have sufficient privileges to perform the requested operation";
    expect(read(line('worker', none))).toMatchObject({ ...denied, object: NODE });
  });

  it.each([
    [
      'TRUNCATE rec_test.t',
      'drop_truncate_table_enabled',
      'DROP and TRUNCATE TABLE',
      { type: 'table', id: 'rec_test.t' },
    ],
    ['DROP KEYSPACE rec_test', 'drop_keyspace_enabled', 'DROP KEYSPACE', { type: 'keyspace', id: 'rec_test' }],
    ['DROP TABLE /* x */ t', 'drop_truncate_table_enabled', 'DROP and TRUNCATE TABLE', NODE],
  ])('by a guardrail: %s', (statement, guardrail, what, object) => {
    const text = `type:REQUEST_FAILURE|category:ERROR|ks:rec_test|operation:${statement}; Guardrail ${guardrail} violated: ${what} functionality is not allowed`;
    expect(read(line('operator', text))).toEqual({
      action: 'server.access',
      object,
      ...{ outcome: 'denied', code: 'GUARDRAIL_DENIED' },
      details: who('operator', { statement: 'REQUEST_FAILURE', guardrail }),
    });
  });

  it('is a failure where nobody denied it', () => {
    const text = `type:REQUEST_FAILURE|category:ERROR|operation:SELEKT 'GEHEIM; line 1:0 no viable alternative at input 'SELEKT'`;
    expect(read(line('operator', text))).toEqual({
      action: 'server.access',
      object: NODE,
      ...{ outcome: 'failure', code: 'STATEMENT_FAILED' },
      details: who('operator', { statement: 'REQUEST_FAILURE' }),
    });
  });
});

describe('a change of the schema', () => {
  it.each([
    ['CREATE_TABLE', 'ks:rec_test|scope:t', { type: 'table', id: 'rec_test.t' }],
    ['ALTER_TABLE', 'ks:rec_test|scope:t', { type: 'table', id: 'rec_test.t' }],
    ['CREATE_TYPE', 'ks:rec_test|scope:addr', { type: 'type', id: 'rec_test.addr' }],
    ['CREATE_INDEX', 'ks:rec_test', { type: 'keyspace', id: 'rec_test' }],
    ['DROP_KEYSPACE', 'ks:rec_test', { type: 'keyspace', id: 'rec_test' }],
  ])('%s names what it changed, and nothing of its text', (type, place, object) => {
    expect(read(line('operator', `type:${type}|category:DDL|${place}|operation:WITH comment = 'GEHEIM'`))).toEqual({
      action: 'server.schema',
      object,
      outcome: 'success',
      details: who('operator', { statement: type }),
    });
  });
});

describe('a change of rights', () => {
  it.each([
    [
      'data/rec_test/*',
      'data/rec_test/t',
      'GRANT SELECT ON rec_test.t TO reader',
      'table',
      'rec_test.t',
      'SELECT',
      'reader',
    ],
    [
      'data',
      'data/rec_test',
      'GRANT ALL PERMISSIONS ON KEYSPACE rec_test TO "reader"',
      'keyspace',
      'rec_test',
      'ALL PERMISSIONS',
      'reader',
    ],
    ['data', 'data', 'GRANT CREATE ON ALL KEYSPACES TO "break-glass";', 'keyspace', '*', 'CREATE', 'break-glass'],
    ['roles', 'roles', 'GRANT DESCRIBE ON ALL ROLES TO "archiver"', 'role', '*', 'DESCRIBE', 'archiver'],
  ])('%s %s: %s', (ks, scope, statement, type, id, right, role) => {
    expect(read(line('operator', `type:GRANT|category:DCL|ks:${ks}|scope:${scope}|operation:${statement}`))).toEqual({
      action: 'server.grant',
      object: { type, id },
      outcome: 'success',
      details: who('operator', { statement: 'GRANT', right, role }),
    });
  });

  it('that gives a role names both', () => {
    const text = 'type:GRANT|category:DCL|operation:GRANT reader TO auditor';
    expect(read(line('break-glass', text))).toMatchObject({
      object: { type: 'role', id: 'reader' },
      details: { right: 'MEMBERSHIP', role: 'auditor' },
    });
  });

  it('does not name whom a comment claims', () => {
    const text = `type:GRANT|category:DCL|ks:data/k/*|scope:data/k/t|operation:GRANT SELECT ON k.t TO "hacker" -- TO auditor`;
    expect(read(line('operator', text))).toEqual({
      action: 'server.grant',
      object: { type: 'table', id: 'k.t' },
      outcome: 'success',
      details: who('operator', { statement: 'GRANT' }),
    });
  });

  it.each([
    [
      `CREATE ROLE IF NOT EXISTS "source" WITH HASHED PASSWORD = '*******' AND LOGIN = true`,
      { type: 'role', id: 'source' },
    ],
    ['ALTER ROLE cassandra WITH LOGIN = false', { type: 'role', id: 'cassandra' }],
    ['CREATE ROLE "a|host:/6.6.6.6" WITH LOGIN = true', { type: 'rights', id: NODE.id }],
    ['CREATE ROLE "a""b" WITH LOGIN = true', { type: 'rights', id: NODE.id }],
  ])('of a role: %s', (statement, object) => {
    expect(read(line('break-glass', `type:CREATE_ROLE|category:DCL|operation:${statement}`))).toMatchObject({
      action: 'server.grant',
      object,
    });
  });

  it('is not what only lists them', () => {
    expect(read(line('operator', 'type:LIST_ROLES|category:DCL|ks:x|operation:LIST ROLES'))).toMatchObject({
      action: 'server.query',
      object: { type: 'rights', id: NODE.id },
    });
  });
});

describe('a query', () => {
  const select = (user: string, place: string, text = `SELECT * FROM t WHERE id = 'GEHEIM'`) =>
    read(line(user, `type:SELECT|category:QUERY|${place}|operation:${text}`));

  it('is told by its table, without its text, whatever stands in that', () => {
    const hostile = `SELECT * FROM t WHERE id = 'GEHEIM 2026-01-01T00:00:00.000Z INFO user:reader|host:/6.6.6.6:1|source:/6.6.6.6|port:1|timestamp:1|type:LOGIN_SUCCESS|category:AUTH|operation:LOGIN SUCCESSFUL'`;
    for (const text of [undefined, hostile])
      expect(select('operator', 'ks:iot_data|scope:t', text)).toEqual({
        action: 'server.query',
        object: { type: 'table', id: 'iot_data.t' },
        outcome: 'success',
        details: who('operator', { statement: 'SELECT' }),
      });
  });

  it('is none of the catalogue, which every driver reads, nor the notary on its own log', () => {
    expect(select('reader', 'ks:system_schema|scope:tables')).toBe('none');
    expect(select('notary', 'ks:audit|scope:events')).toBe('none');
    expect(select('auditor', 'ks:audit|scope:events')).toMatchObject({ action: 'server.query' });
    expect(select('reader', 'ks:system_auth|scope:roles')).toMatchObject({ action: 'server.query' });
  });

  it('is told even where its text is so long that the line was cut', () => {
    const cut = line('reader', `type:SELECT|category:QUERY|ks:k|scope:t|operation:SELECT /*${'x'.repeat(70_000)}`);
    expect(read(cut.slice(0, 65_536))).toMatchObject({ object: { id: 'k.t' }, details: who('reader') });
  });
});

it('a line of another form is unreadable', () => {
  expect(read('2026-11-24T22:10:31.952Z INFO nothing of the kind (x)')).toBe('unreadable');
  expect(read(line('reader', 'type:NEW_KIND|category:NEW|operation:x'))).toBe('unreadable');
});
