import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeNames } from '../../../backup/naming.ts';
import { openBackupStore } from '../../../backup/objects/open-store.ts';
import { describeTable, scanTable, total } from '../../../backup/restore/table/scan-table.ts';
import { captureNodes } from '../../../backup/snapshot/capture-cassandra.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { openHome, openOrCreateHome, type Home } from '../../../core/home.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { partitionsHeld, secondNode, type SecondNode } from '../../support/backup/two-nodes.ts';
import { NO_SCHEDULE } from '../../support/faults/fault-stack.ts';
import { ledgerContract, ledgerFile, type Ledger } from '../../support/faults/ledger.ts';
import { scratch } from '../../support/scratch.ts';
import { startWardline, wardline, wardlineOn, type WardlineOutcome } from '../../support/wardline.ts';

const KEYS = 600;
const ACCOUNTS = 200;
const CLIENT_TIMEOUT = 60_000;

const { folder } = scratch();
const path = join(folder, 'home');
const copy = join(folder, 'copy');
const identity = join(path, 'backup', 'recovery', 'identity.txt');
let home: Home;
let ledger: Ledger;
let second: SecondNode;
let superUser: Client;
let alone: { readonly id: string; readonly at: number; readonly figures: Figures };
let both: { readonly id: string; readonly figures: Figures };

type Figures = Readonly<{ rows: number; digest: string }>;

beforeAll(async () => {
  home = openOrCreateHome(path);
  // Backups of the schedule would come between.
  writeFileSync(home.paths.configuration, stringify({ backup: { schedule: NO_SCHEDULE } }));
  await wardlineOn(path, ['up']);
  ledger = ledgerContract(folder, 'two-nodes');
  await wardlineOn(path, ['contract', 'apply', ledger.contract]);
  superUser = client(home);
  second = await secondNode(home, join(folder, 'second'));
});

afterAll(async () => {
  await superUser.shutdown();
  await wardline(['down', '--wipe', '--yes', '--home', copy]);
  await wardline(['down', '--wipe', '--yes', '--home', path]);
  await second.kill();
  rmSync(second.home.path, { recursive: true, force: true });
});

function client(of: Home): Client {
  return cassandraClient(loadConnection(of, loadSettings(of)), 'break-glass', { readTimeout: CLIENT_TIMEOUT });
}

/** Puts so many keys through the pipeline, each twice; those that are there already stay as they are, being the same. */
async function run(name: string, keys: number): Promise<void> {
  const { path: input } = ledgerFile(folder, name, keys, ACCOUNTS);
  await wardlineOn(path, ['run', '--contract', ledger.contract, '--source', 'csv', '--path', input]);
}

async function figures(cassandra = superUser, keyspace?: string): Promise<Figures> {
  const [own = '', name = ''] = ledger.table.split('.');
  const table = await describeTable(cassandra, { keyspace: keyspace ?? own, table: name });
  if (table === undefined) throw new Error(`${ledger.table} is not there`);
  const sum = total(await scanTable(cassandra, table));
  return { rows: sum.rows, digest: sum.hex() };
}

/** Runs a command on the first host while another host does what the first asks of it. */
async function withOther(other: readonly string[], args: readonly string[]): Promise<WardlineOutcome> {
  const beside = startWardline([...other, '--home', second.home.path, '--json']);
  try {
    return await wardlineOn(path, args);
  } finally {
    beside.stop();
    const { code, stderr } = await beside.outcome;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('"error"')]);
  }
}

const takingIn = ['restore', '--part', '--identity', identity];
const restore = (...args: readonly string[]): Promise<WardlineOutcome> =>
  withOther(takingIn, ['restore', ...args, '--table', ledger.table]);

async function dropTable(): Promise<void> {
  await superUser.execute(`DROP TABLE ${ledger.table}`);
}

async function objectsBelow(prefix: string): Promise<readonly string[]> {
  const store = openBackupStore(home, loadSettings(home));
  const names: string[] = [];
  for await (const { name } of store.list(prefix)) names.push(name);
  await store.close();
  return names;
}

/** Each node has its part of the partitions, and after a cleanup no other. */
async function expectDivided(): Promise<void> {
  const held = [await partitionsHeld(home, ledger.table), await partitionsHeld(second.home, ledger.table)];
  for (const partitions of held) expect(partitions).toBeGreaterThan(ACCOUNTS / 10);
  expect(Math.abs((held[0] ?? 0) + (held[1] ?? 0) - ACCOUNTS)).toBeLessThan(ACCOUNTS / 20);
}

describe('a backup of one node', () => {
  it('comes into two, each of which keeps what is its own', async () => {
    await run('first.csv', KEYS);
    const { json } = await wardlineOn(path, ['backup', 'create']);
    alone = { id: String(json['id']), at: Date.now(), figures: await figures() };
    expect(alone.figures.rows).toBe(KEYS);
    await second.start();
    await dropTable();
    const restored = await restore(alone.id);
    expect(await figures()).toEqual(alone.figures);
    expect(restored.json).toMatchObject({ auditFindings: [] });
    await expectDivided();
  });
});

describe('a backup of two nodes', () => {
  it('is none without the part of each, and says whose is missing', async () => {
    const impatient = join(folder, 'impatient.yaml');
    writeFileSync(impatient, stringify({ backup: { nodePatienceSeconds: 2 } }));
    const { error } = await wardlineOn(path, ['backup', 'create', '--config', impatient], 5);
    const { nodes } = await captureNodes(superUser);
    expect(nodes).toHaveLength(2);
    expect(error?.code).toBe('NODE_MISSING');
    for (const { id, address } of nodes) expect(error?.message.includes(id)).toBe(address === second.address);
    expect(await objectsBelow(storeNames(home.install).allParts)).toEqual([]);
    expect(await objectsBelow(storeNames(home.install).manifests)).toHaveLength(1);
  });

  it('holds the files of both, and brings back a table that was dropped', async () => {
    await run('second.csv', 2 * KEYS);
    const created = await withOther(['backup', 'part', '--follow'], ['backup', 'create']);
    both = { id: String(created.json['id']), figures: await figures() };
    expect(both.figures.rows).toBe(2 * KEYS);
    const shown = await wardlineOn(path, ['backup', 'show', both.id]);
    const files = (shown.json['files'] as readonly { node: string; keyspace: string }[]).filter(({ keyspace }) =>
      ledger.table.startsWith(`${keyspace}.`),
    );
    expect(new Set(files.map(({ node }) => node)).size).toBe(2);
    expect((await wardlineOn(path, ['backup', 'verify', both.id, '--read-data'])).code).toBe(0);
    await dropTable();
    await restore(both.id);
    expect(await figures()).toEqual(both.figures);
    await expectDivided();
  });

  it('stands beside an older one, which gives the older rows', async () => {
    await restore(alone.id, '--to', new Date(alone.at).toISOString(), '--as-keyspace', 'older');
    expect(await figures(superUser, 'older')).toEqual(alone.figures);
    expect(await figures()).toEqual(both.figures);
  });

  it('comes into a single new node', async () => {
    await wardlineOn(path, ['restore', both.id, '--into-home', copy, '--identity', identity]);
    const single = client(openHome(copy));
    expect(await figures(single)).toEqual(both.figures);
    const { rows } = await single.execute('SELECT peer FROM system.peers_v2');
    await single.shutdown();
    expect(rows).toEqual([]);
  });
});
