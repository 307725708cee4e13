import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { stackStatus } from '../../../stack/index.ts';
import { openHome } from '../../../core/home.ts';
import { principalAccess } from '../../../security/certs/identities.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../../security/principals/names.ts';
import { contractVariant } from '../../support/inputs/contract-variant.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { readings, smartHomeCsv } from '../../support/inputs/smart-home-csv.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn } from '../../support/wardline.ts';

const COUNT = 25;
const servers = withStack();
const files = scratch();
const contract = contractVariant('smart-home', files.folder, 'elsewhere');
const own = join(files.folder, 'home of its own');

beforeAll(() => {
  mkdirSync(own, { mode: 0o700 });
  const connection = { ...servers.connection, mode: 'external' };
  writeFileSync(join(own, 'wardline.yaml'), stringify({ connection }), { mode: 0o600 });
});

describe('a home whose servers are somebody else’s', () => {
  it('is made by `up`, which starts nothing', async () => {
    const { json } = await wardlineOn(own, ['up']);
    expect(json).toMatchObject({ home: own, kafka: servers.connection.kafka.brokers });
    expect(existsSync(join(own, 'home.json'))).toBe(true);
    expect(existsSync(join(own, 'connection.yaml'))).toBe(false);
  });

  it('gets key stores of its own by `certs mint`, and leaves those that its connection names alone', async () => {
    const named = Object.values(servers.connection.principals).map(({ keyStore }) => readFileSync(keyStore, 'utf8'));
    await wardlineOn(own, ['certs', 'mint']);
    for (const name of PRINCIPAL_NAMES) expect(existsSync(principalAccess(openHome(own), name).keyStore)).toBe(true);
    expect(Object.values(servers.connection.principals).map(({ keyStore }) => readFileSync(keyStore, 'utf8'))).toEqual(
      named,
    );
  });

  it('shows what a contract needs before anything is done', async () => {
    const dry = ['contract', 'apply', contract.path, '--dry-run'];
    const { json } = await wardlineOn(own, dry);
    const kinds = new Set((json['changes'] as { kind: string }[]).map(({ kind }) => kind));
    for (const kind of ['topic', 'acl', 'table', 'grant']) expect(kinds).toContain(kind);
    // Shown twice, because the first time changed nothing.
    expect((await wardlineOn(own, dry)).json).toEqual(json);
  });

  it('runs its pipeline there, provisioning with the operator’s rights', async () => {
    const path = files.file('elsewhere.csv', smartHomeCsv(readings(COUNT)));
    const source = ['--source', 'csv', '--path', path, '--set', 'home_id=elsewhere-home'];
    const { json } = await wardlineOn(own, ['run', '--contract', contract.path, ...source]);
    expect(json).toMatchObject({ records_read: COUNT, records_stored: COUNT, dead_letters: 0 });
    expect((await wardlineOn(own, ['contract', 'apply', contract.path, '--dry-run'])).json['changes']).toEqual([]);
    const read = ['read', 'elsewhere-home', '--contract', contract.path, '--purpose', 'billing', '--limit', '100'];
    expect((await wardlineOn(own, read)).items).toHaveLength(COUNT);
    const client = plainCassandra(await outsideCredentials(own, 'reader'));
    const { rows } = await client.execute(`SELECT COUNT(*) AS rows_found FROM ${contract.table}`);
    await client.shutdown();
    expect(String(rows[0]?.['rows_found'])).toBe(String(COUNT));
  });

  it('has started no server, and stops none', async () => {
    expect(existsSync(join(own, 'kafka'))).toBe(false);
    expect(existsSync(join(own, 'cassandra'))).toBe(false);
    const { supervisor, servers: running } = stackStatus(openHome(own));
    expect([supervisor, ...running].filter((process) => process.running)).toEqual([]);
    const { json } = await wardlineOn(own, ['status']);
    expect(json).toMatchObject({ supervisor: { running: false }, kafka: [expect.stringMatching(/:\d+$/)] });
    await wardlineOn(own, ['down']);
    expect(stackStatus(servers.home).servers.every((server) => server.running)).toBe(true);
  });

  it('keeps its own traces, and no secret of the servers’ home', async () => {
    const { json } = await wardlineOn(own, ['trace', 'latest']);
    expect(json['trace_id']).toMatch(/^[0-9a-f]{32}$/);
    const password = readFileSync(servers.connection.principals['source']?.passwordFile ?? '', 'utf8').trim();
    expect(readFileSync(join(own, 'wardline.yaml'), 'utf8')).not.toContain(password);
  });
});

describe('a home with keys of its own on somebody else’s servers', () => {
  const other = join(files.folder, 'home with keys');
  const kept = contractVariant('smart-home', files.folder, 'keys-of-its-own');

  beforeAll(async () => {
    mkdirSync(other, { mode: 0o700 });
    await wardlineOn(other, ['certs', 'mint']);
    const made = openHome(other);
    const principals = Object.fromEntries(
      Object.entries(servers.connection.principals).map(([name, access]) => {
        const { signingKey, keyStore, keyStorePassphrase } = principalAccess(made, name as PrincipalName);
        return [name, { ...access, signingKey, keyStore, keyStorePassphrase }];
      }),
    );
    const connection = { ...servers.connection, mode: 'external', principals };
    writeFileSync(join(other, 'wardline.yaml'), stringify({ connection }), { mode: 0o600 });
    // As an administrator would again and again: nothing that stands is replaced.
    await wardlineOn(other, ['certs', 'mint']);
  });

  it('seals and opens with them, and nobody opens it with the other home’s', async () => {
    const path = files.file('own-keys.csv', smartHomeCsv(readings(COUNT)));
    const source = ['--source', 'csv', '--path', path, '--set', 'home_id=own-keys-home'];
    await wardlineOn(other, ['run', '--contract', kept.path, ...source]);
    const read = ['read', 'own-keys-home', '--contract', kept.path, '--purpose', 'billing', '--limit', '100'];
    const { items } = await wardlineOn(other, read);
    expect(items).toHaveLength(COUNT);
    expect(items.filter((item) => 'faults' in item)).toEqual([]);
    const elsewhere = await wardlineOn(servers.home.path, read, 4);
    expect(elsewhere.items.filter((item) => !('faults' in item))).toEqual([]);
  });
});
