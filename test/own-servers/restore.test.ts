import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compactVerify, importSPKI } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Home } from '../../core/home.ts';
import { backedUpClinic, tableOf, type BackedUpClinic } from '../support/backup/backed-up-clinic.ts';
import { GO_BUILD_MILLISECONDS, goTool, HAS_GO_TOOLS } from '../support/backup/go-tool.ts';
import { scratch } from '../support/scratch.ts';
import { faultStack, type FaultStack } from '../support/faults/fault-stack.ts';

const VERIFICATION_FAILED = 4;

const files = scratch();
let stack: FaultStack;
let home: Home;
let our: BackedUpClinic;

beforeAll(async () => {
  // The archiver is the clinic's own; the recorder has no part in this.
  stack = await faultStack({}, ['notary']);
  home = stack.home;
  our = await backedUpClinic(home, files, 'restored');
});
afterAll(async () => {
  await our.stop();
  await stack.remove();
});

describe('a backup', () => {
  it('is listed, shown and whole', async () => {
    const { json: list } = await our.wardline(['backup', 'list']);
    const backups = list['backups'] as { id: string; note: string }[];
    expect(backups.at(-1)?.note).toBe('');
    const { json: manifest } = await our.wardline(['backup', 'show', 'latest']);
    expect(manifest['id']).toBe(backups.at(-1)?.id);
    const { json: verified } = await our.wardline(['backup', 'verify', 'latest', '--read-data']);
    expect(verified).toMatchObject({ id: manifest['id'], dataRead: true, findings: [] });
  });

  it('holds every keyspace but that of the keys, and names the contract', async () => {
    const { json } = await our.wardline(['backup', 'show', 'latest']);
    const {
      cassandra,
      contracts,
      files: stored,
    } = json as unknown as {
      cassandra: { keyspaces: { name: string }[] };
      contracts: { id: string; document: string }[];
      files: { keyspace: string }[];
    };
    const names = cassandra.keyspaces.map(({ name }) => name);
    expect(names).toContain('audit');
    expect(names).not.toContain('wardline_keys');
    expect(stored.some(({ keyspace }) => keyspace === 'wardline_keys')).toBe(false);
    expect(contracts.find(({ id }) => id === 'restored')?.document).toBe(readFileSync(our.clinic.path, 'utf8'));
  });

  it.skipIf(!HAS_GO_TOOLS)(
    'opens with the public age command, and its manifest verifies with jose alone',
    async () => {
      const { json } = await our.wardline(['backup', 'show', 'latest']);
      const { id, files: stored } = json as unknown as {
        id: string;
        files: { object: string; sha256: string; name: string }[];
      };
      const folder = join(home.paths.backupStore, home.install);
      const manifest = readFileSync(join(folder, 'manifests', `${id}.jws`), 'utf8');
      const pem = readFileSync(join(home.paths.principals, 'archiver', 'signing.pub'), 'utf8');
      const { payload } = await compactVerify(manifest, await importSPKI(pem, 'EdDSA'));
      expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(json);
      const data = stored.find(({ name }) => name.endsWith('-Data.db'));
      const object = join(folder, 'objects', data?.object.slice(0, 2) ?? '', `${data?.object ?? ''}.age`);
      const identity = join(home.paths.backup, 'recovery', 'identity.txt');
      const decrypted = await promisify(execFile)(await goTool('age'), ['-d', '-i', identity, object], {
        encoding: 'buffer',
        maxBuffer: 1e9,
      });
      expect(createHash('sha256').update(decrypted.stdout).digest('hex')).toBe(data?.sha256);
    },
    GO_BUILD_MILLISECONDS,
  );
});

describe('a restore in place', () => {
  it('brings a dropped table back: every row as it was, and every sealed field opens', async () => {
    const [before, opened] = [await our.seen(), await our.read('p-0001')];
    const rights = await our.rights();
    await our.superUser.execute(`DROP TABLE ${our.clinic.table}`);
    const restored = tableOf(await our.restore());
    expect(restored).toMatchObject({ fresh: true, hidden: 0, backedUp: { rows: before.rows } });
    expect(restored.live).toEqual(restored.backedUp);
    expect(await our.seen()).toEqual(before);
    expect(await our.rights()).toEqual(rights);
    expect((await our.read('p-0001')).stdout).toBe(opened.stdout);
  });

  it('names the rows that a DELETE hides, and with --replace brings them back', async () => {
    const before = await our.seen();
    const { rows } = await our.superUser.execute(`SELECT DISTINCT patient_id, day FROM ${our.clinic.table}`);
    for (const row of rows.slice(0, Math.ceil(rows.length / 2)))
      await our.superUser.execute(
        `DELETE FROM ${our.clinic.table} WHERE patient_id = ? AND day = ?`,
        [row['patient_id'], row['day']],
        { prepare: true },
      );
    const after = await our.seen();
    expect(after.rows).toBeLessThan(before.rows);
    const kept = tableOf(await our.restore());
    expect(kept).toMatchObject({ fresh: false, hidden: before.rows - after.rows, backedUp: { rows: before.rows } });
    expect(await our.seen()).toEqual(after);
    const outcome = await our.restore('--replace', '--yes');
    expect(outcome.json['safetyBackup']).toMatch(/^\d{8}T\d{6}Z-/);
    expect(tableOf(outcome).live).toEqual(tableOf(outcome).backedUp);
    expect(await our.seen()).toEqual(before);
  });

  it('replays what was stored since the backup, to the end or to a time', async () => {
    const first = await our.seen();
    await our.store('p-0009', 1);
    const middle = await our.seen();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const time = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await our.store('p-0009', 2);
    const last = await our.seen();
    expect([middle.rows - first.rows, last.rows - middle.rows]).toEqual([3, 3]);
    await our.restore('--replace', '--yes', '--to', time);
    expect(await our.seen()).toEqual(middle);
    await our.restore();
    expect(await our.seen()).toEqual(last);
    const beside = await our.restore('--to', time, '--as-keyspace', 'restored_beside');
    expect(tableOf(beside).live.rows).toBe(middle.rows);
    expect(await our.seen(`restored_beside.${our.clinic.topic}`)).toEqual(middle);
    await our.superUser.execute('DROP KEYSPACE restored_beside');
  });

  it('brings an erased subject back as rows that nobody can open, and all others open', async () => {
    const [before, opened] = [await our.seen(), await our.read('p-0001')];
    await our.wardline(['keys', 'destroy', 'p-0002', '--contract', our.clinic.path, '--yes']);
    await our.superUser.execute(`DROP TABLE ${our.clinic.table}`);
    await our.restore();
    expect(await our.seen()).toEqual(before);
    const closed = await our.wardline(
      ['read', 'p-0002', '--contract', our.clinic.path, '--purpose', 'care'],
      VERIFICATION_FAILED,
    );
    const faults = closed.items.flatMap((item) => Object.values(item['faults'] as Record<string, string>));
    expect(closed.items.length).toBeGreaterThan(0);
    expect(new Set(faults)).toEqual(new Set(['KEY_DESTROYED']));
    expect((await our.read('p-0001')).stdout).toBe(opened.stdout);
  });
});

describe('--lost is refused', () => {
  const REFUSED = 3;
  const USAGE = 2;
  /** The same servers, as those of somebody else. */
  const elsewhere = (): string => {
    const { connection } = parse(readFileSync(home.paths.connection, 'utf8')) as { connection: object };
    // Its paths count from the folder that it is in.
    const path = join(home.path, 'elsewhere.yaml');
    writeFileSync(path, stringify({ connection: { ...connection, mode: 'external' } }));
    return path;
  };

  it.each([
    ['of servers that the home starts itself', ['--lost', 'kafka'], 'run wardline up'],
    ['of what is no server', ['--lost', 'kafka,zookeeper'], 'not kafka,zookeeper'],
  ])('%s', async (_, args, said) => {
    const { stderr } = await our.wardline(['restore', 'latest', ...args], USAGE);
    expect(stderr).toContain(said);
  });

  it('of one table alone', async () => {
    const args = ['restore', 'latest', '--config', elsewhere(), '--lost', 'kafka', '--table', our.clinic.table];
    expect((await our.wardline(args, USAGE)).stderr).toContain('everything');
  });

  it.each([
    ['kafka', 'has had records'],
    ['cassandra', 'has rows'],
  ])('of servers that are not new: %s', async (server, said) => {
    const args = ['restore', 'latest', '--config', elsewhere(), '--lost', server];
    const { stderr } = await our.wardline(args, REFUSED);
    expect(stderr).toContain('was not made anew');
    expect(stderr).toContain(said);
    expect((await our.wardline(['status'])).stdout).not.toContain('nothing has been restored yet');
  });
});
