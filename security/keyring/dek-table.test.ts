import { describe, expect, it } from 'vitest';
import { behavesAsDekTable } from '../../test/support/dek-table-behaviour.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { memoryDekTable } from '../../test/support/memory-dek-table.ts';
import {
  cassandraDekTable,
  dekTableName,
  dekTableStatement,
  keysKeyspaceStatement,
  type CqlExecutor,
} from './dek-table.ts';

describe('the stand-in for the keys table', () => {
  behavesAsDekTable(memoryDekTable);
});

describe('the name of a keys table', () => {
  it.each([
    ['smart-home', 'smart_home_personal'],
    ['clinic', 'clinic_personal'],
  ])('of %s is %s', (id, name) => {
    expect(dekTableName(id, 'personal')).toBe(name);
  });

  it('is never the same for two ids, and always one that Cassandra takes', () => {
    const ids = ['a-b', 'a_b', 'A-b', 'a.b', 'a--b', '-a', '1a', 'é', 'x'.repeat(37), 'x'.repeat(38), 'x'.repeat(39)];
    const names = ids.flatMap((id) => [dekTableName(id, 'personal'), dekTableName(id, 'restricted')]);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]{0,47}$/);
  });
});

describe('the statements', () => {
  it('make keyspace and table only where there are none', () => {
    expect(keysKeyspaceStatement({ class: 'NetworkTopologyStrategy', dc1: 3 })).toBe(
      "CREATE KEYSPACE IF NOT EXISTS wardline_keys WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}",
    );
    expect(dekTableStatement('smart-home', 'restricted')).toMatch(
      /^CREATE TABLE IF NOT EXISTS wardline_keys\.smart_home_restricted \(/,
    );
  });

  it('carry every value as a parameter, and every write a condition', async () => {
    const seen: { query: string; parameters: readonly unknown[]; serial: boolean }[] = [];
    const client: CqlExecutor = {
      execute(query, parameters, options) {
        seen.push({ query, parameters, serial: options.serialConsistency !== undefined });
        return Promise.resolve({ rows: [{ '[applied]': true }] });
      },
    };
    const table = cassandraDekTable(client, 'smart-home', 'personal');
    await table.insertIfAbsent({ subject: "o'neil", generation: 1, kid: 'k', wrapped: 'w', createdAt: 0 });
    await table.retire("o'neil", 1);
    await table.destroy("o'neil", 0);
    await table.readmit("o'neil");
    expect(seen.some(({ query }) => query.includes('neil'))).toBe(false);
    const writes = seen.filter(({ query }) => query.startsWith('UPDATE'));
    expect(writes.every(({ query, serial }) => / IF /.test(query) && serial)).toBe(true);
    expect(writes.map(({ parameters }) => parameters.includes("o'neil"))).toEqual([true, true, true, true]);
  });

  it('end in an error with a code', async () => {
    const client: CqlExecutor = { execute: () => Promise.reject(new Error('connection lost')) };
    expect(await codeOfAsync(() => cassandraDekTable(client, 'c', 'personal').readAll('s'))).not.toMatch(/^not a/);
  });
});
