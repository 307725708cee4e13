import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generateX25519Identity } from 'age-encryption';
import type { Client } from 'cassandra-driver';
import { compactVerify, importSPKI } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRecovery } from '../../../backup/recipients/recovery.ts';
import { systemClock } from '../../../core/clock.ts';
import { GO_BUILD_MILLISECONDS, goTool, HAS_GO_TOOLS } from '../../support/backup/go-tool.ts';
import { startWardline, type RunningWardline } from '../../support/faults/process.ts';
import { CLINIC_CSV, contractVariant } from '../../support/inputs/contract-variant.ts';
import { outsideCredentials, plainCassandra } from '../../support/outside.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';
import { wardlineOn, type WardlineOutcome } from '../../support/wardline.ts';

const REFUSED = 3;
const VERIFICATION_FAILED = 4;

const { home } = withStack();
const files = scratch();
const clinic = contractVariant('clinic', files.folder, 'restored');
const identity = join(home.paths.backup, 'recovery', 'identity.txt');

let archiver: RunningWardline;
/** Passes every permission: what an accident at its worst may do. */
let superUser: Client;

const wardline = (args: readonly string[], expected?: number) => wardlineOn(home.path, args, expected);
const run = (path: string) => wardline(['run', '--contract', clinic.path, '--source', 'csv', '--path', path]);
const read = (subject: string) => wardline(['read', subject, '--contract', clinic.path, '--purpose', 'care']);
const restore = (...args: readonly string[]) => wardline(['restore', 'latest', '--table', clinic.table, ...args]);

interface Restored {
  readonly fresh: boolean;
  readonly backedUp: { readonly rows: number; readonly digest: string };
  readonly live: { readonly rows: number; readonly digest: string };
  readonly hidden: number;
  readonly replayed: { readonly rows: number };
}

function tableOf({ json }: WardlineOutcome): Restored {
  return (json['tables'] as Restored[])[0] as Restored;
}

/** Count and digest of all rows as any client sees them: nothing of the product's own is used. */
async function seen(table = clinic.table): Promise<{ rows: number; digest: string }> {
  const { rows } = await superUser.execute(`SELECT JSON * FROM ${table}`);
  const lines = rows.map((row) => String(row['[json]'])).toSorted();
  return { rows: lines.length, digest: createHash('sha256').update(lines.join('\n')).digest('hex') };
}

/** Three more records of a patient, of a day of their own. */
function more(patient: string, day: number): string {
  const [heading = '', first = ''] = readFileSync(CLINIC_CSV, 'utf8').split('\n');
  const lines = [0, 1, 2].map((hour) => first.replace(/^[^,]+,[^,]+/, `${patient},2026-03-0${day}T1${hour}:00:00Z`));
  return files.file(`more-${patient}-${day}.csv`, [heading, ...lines, ''].join('\n'));
}

beforeAll(async () => {
  await ensureRecovery(home, systemClock);
  archiver = startWardline(home.path, ['archiver']);
  superUser = plainCassandra(await outsideCredentials(home.path, 'break-glass'));
  await archiver.says(/copying into/);
  await run(CLINIC_CSV);
  await wardline(['backup', 'create']);
});

afterAll(async () => {
  await archiver.stop();
  await superUser.shutdown();
});

describe('a backup', () => {
  it('is listed, shown and whole', async () => {
    const { json: list } = await wardline(['backup', 'list']);
    const backups = list['backups'] as { id: string; note: string }[];
    expect(backups.at(-1)?.note).toBe('');
    const { json: manifest } = await wardline(['backup', 'show', 'latest']);
    expect(manifest['id']).toBe(backups.at(-1)?.id);
    const { json: verified } = await wardline(['backup', 'verify', 'latest', '--read-data']);
    expect(verified).toMatchObject({ id: manifest['id'], dataRead: true, findings: [] });
  });

  it('holds every keyspace but that of the keys, and names the contract', async () => {
    const { json } = await wardline(['backup', 'show', 'latest']);
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
    expect(contracts.find(({ id }) => id === 'restored')?.document).toBe(readFileSync(clinic.path, 'utf8'));
  });

  it.skipIf(!HAS_GO_TOOLS)(
    'opens with the public age command, and its manifest verifies with jose alone',
    async () => {
      const { json } = await wardline(['backup', 'show', 'latest']);
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
    const [before, opened] = [await seen(), await read('p-0001')];
    await superUser.execute(`DROP TABLE ${clinic.table}`);
    const restored = tableOf(await restore());
    expect(restored).toMatchObject({ fresh: true, hidden: 0, backedUp: { rows: before.rows } });
    expect(restored.live).toEqual(restored.backedUp);
    expect(await seen()).toEqual(before);
    expect((await read('p-0001')).stdout).toBe(opened.stdout);
  });

  it('names the rows that a DELETE hides, and with --replace brings them back', async () => {
    const before = await seen();
    const { rows } = await superUser.execute(`SELECT DISTINCT patient_id, day FROM ${clinic.table}`);
    for (const row of rows.slice(0, Math.ceil(rows.length / 2)))
      await superUser.execute(
        `DELETE FROM ${clinic.table} WHERE patient_id = ? AND day = ?`,
        [row['patient_id'], row['day']],
        { prepare: true },
      );
    const after = await seen();
    expect(after.rows).toBeLessThan(before.rows);
    const kept = tableOf(await restore());
    expect(kept).toMatchObject({ fresh: false, hidden: before.rows - after.rows, backedUp: { rows: before.rows } });
    expect(await seen()).toEqual(after);
    const outcome = await restore('--replace', '--yes');
    expect(outcome.json['safetyBackup']).toMatch(/^\d{8}T\d{6}Z-/);
    expect(tableOf(outcome).live).toEqual(tableOf(outcome).backedUp);
    expect(await seen()).toEqual(before);
  });

  it('brings back the rows of one data subject, and no others', async () => {
    const before = await seen();
    await superUser.execute(`TRUNCATE ${clinic.table}`);
    const { rows } = tableOf(await restore('--subject', 'p-0001')).live;
    expect(rows).toBe(2);
    expect((await seen()).rows).toBe(rows);
    expect((await read('p-0001')).items).toHaveLength(rows);
    await restore();
    expect(await seen()).toEqual(before);
  });

  it('replays what was stored since the backup, to the end or to a time', async () => {
    const first = await seen();
    await run(more('p-0009', 1));
    const middle = await seen();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const time = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await run(more('p-0009', 2));
    const last = await seen();
    expect([middle.rows - first.rows, last.rows - middle.rows]).toEqual([3, 3]);
    await restore('--replace', '--yes', '--to', time);
    expect(await seen()).toEqual(middle);
    await restore();
    expect(await seen()).toEqual(last);
    const beside = await restore('--to', time, '--as-keyspace', 'restored_beside');
    expect(tableOf(beside).live.rows).toBe(middle.rows);
    expect(await seen(`restored_beside.${clinic.topic}`)).toEqual(middle);
    await superUser.execute('DROP KEYSPACE restored_beside');
  });

  it('brings an erased subject back as rows that nobody can open, and all others open', async () => {
    const [before, opened] = [await seen(), await read('p-0001')];
    await wardline(['keys', 'destroy', 'p-0002', '--contract', clinic.path, '--yes']);
    await superUser.execute(`DROP TABLE ${clinic.table}`);
    await restore();
    expect(await seen()).toEqual(before);
    const closed = await wardline(
      ['read', 'p-0002', '--contract', clinic.path, '--purpose', 'care'],
      VERIFICATION_FAILED,
    );
    const faults = closed.items.flatMap((item) => Object.values(item['faults'] as Record<string, string>));
    expect(closed.items.length).toBeGreaterThan(0);
    expect(new Set(faults)).toEqual(new Set(['KEY_DESTROYED']));
    expect((await read('p-0001')).stdout).toBe(opened.stdout);
  });

  it('is refused with another identity, and without one', async () => {
    const other = files.file('other.key', `${await generateX25519Identity()}\n`);
    const wrong = await wardline(['restore', 'latest', '--table', clinic.table, '--identity', other], REFUSED);
    expect(wrong.error?.code).toBe('IDENTITY_WRONG');
    const empty = files.file('empty.key', '');
    const none = await wardline(['restore', 'latest', '--table', clinic.table, '--identity', empty], REFUSED);
    expect(none.error?.code).toBe('IDENTITY_WRONG');
  });

  it('is refused where the backup is damaged, until the next backup has mended it', async () => {
    const { json } = await wardline(['backup', 'show', 'latest']);
    const stored = json['files'] as { object: string; name: string; keyspace: string; table: string }[];
    const statistics = stored.find(
      ({ name, keyspace, table }) => name.endsWith('-Statistics.db') && `${keyspace}.${table}` === clinic.table,
    );
    const folder = join(home.paths.backupStore, home.install, 'objects', statistics?.object.slice(0, 2) ?? '');
    expect(readdirSync(folder)).toContain(`${statistics?.object ?? ''}.age`);
    const path = join(folder, `${statistics?.object ?? ''}.age`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const refused = await wardline(['restore', 'latest', '--table', clinic.table], VERIFICATION_FAILED);
    expect(refused.error?.code).toBe('OBJECT_DAMAGED');
    const { json: verified } = await wardline(['backup', 'verify', 'latest', '--read-data'], VERIFICATION_FAILED);
    expect(verified['findings']).toMatchObject([{ kind: 'changed', object: statistics?.object }]);
    // The snapshot that the first backup was made of is gone, and so may be its files: what is on the disk still is mended.
    await wardline(['backup', 'create']);
    const { code } = await wardline(['backup', 'verify', 'latest', '--read-data']);
    expect(code).toBe(0);
  });

  it('names what it does not find', async () => {
    const table = await wardline(['restore', 'latest', '--table', 'no.such'], 2);
    expect(table.error?.code).toBe('BACKUP_NOT_FOUND');
    const backup = await wardline(['restore', '20200101T000000Z-000000'], 2);
    expect(backup.error?.code).toBe('BACKUP_NOT_FOUND');
    const early = await wardline(['restore', 'latest', '--to', '2020-01-01T00:00:00Z', '--replace', '--yes'], 2);
    expect(early.error?.code).toBe('BACKUP_NOT_FOUND');
    const newer = await wardline(['restore', 'latest', '--to', new Date().toISOString()], 2);
    expect(newer.error?.code).toBe('USAGE');
  });
});
