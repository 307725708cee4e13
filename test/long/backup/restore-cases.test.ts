import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backedUpClinic, tableOf, type BackedUpClinic } from '../../support/backup/backed-up-clinic.ts';
import { scratch } from '../../support/scratch.ts';
import { withStack } from '../../support/stack.ts';

const REFUSED = 3;
const VERIFICATION_FAILED = 4;

const { home } = withStack();
const files = scratch();
let our: BackedUpClinic;

beforeAll(async () => {
  our = await backedUpClinic(home, files, 'restored-cases');
});
afterAll(() => our.stop());

describe('a restore in place', () => {
  it('brings back the rows of one data subject, and no others', async () => {
    const before = await our.seen();
    await our.superUser.execute(`TRUNCATE ${our.clinic.table}`);
    const { rows } = tableOf(await our.restore('--subject', 'p-0001')).live;
    expect(rows).toBe(2);
    expect((await our.seen()).rows).toBe(rows);
    expect((await our.read('p-0001')).items).toHaveLength(rows);
    await our.restore();
    expect(await our.seen()).toEqual(before);
  });

  it('is refused with another identity, and without one', async () => {
    const other = files.file('other.key', `${await generateX25519Identity()}\n`);
    const wrong = await our.wardline(['restore', 'latest', '--table', our.clinic.table, '--identity', other], REFUSED);
    expect(wrong.error?.code).toBe('IDENTITY_WRONG');
    const empty = files.file('empty.key', '');
    const none = await our.wardline(['restore', 'latest', '--table', our.clinic.table, '--identity', empty], REFUSED);
    expect(none.error?.code).toBe('IDENTITY_WRONG');
  });

  it('is refused where the backup is damaged, until the next backup has mended it', async () => {
    const { json } = await our.wardline(['backup', 'show', 'latest']);
    const stored = json['files'] as { object: string; name: string; keyspace: string; table: string }[];
    const statistics = stored.find(
      ({ name, keyspace, table }) => name.endsWith('-Statistics.db') && `${keyspace}.${table}` === our.clinic.table,
    );
    const folder = join(home.paths.backupStore, home.install, 'objects', statistics?.object.slice(0, 2) ?? '');
    expect(readdirSync(folder)).toContain(`${statistics?.object ?? ''}.age`);
    const path = join(folder, `${statistics?.object ?? ''}.age`);
    const bytes = readFileSync(path);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const refused = await our.wardline(['restore', 'latest', '--table', our.clinic.table], VERIFICATION_FAILED);
    expect(refused.error?.code).toBe('OBJECT_DAMAGED');
    const { json: verified } = await our.wardline(['backup', 'verify', 'latest', '--read-data'], VERIFICATION_FAILED);
    expect(verified['findings']).toMatchObject([{ kind: 'changed', object: statistics?.object }]);
    // The snapshot that the first backup was made of is gone, and so may be its files: what is on the disk still is mended.
    await our.wardline(['backup', 'create']);
    const { code } = await our.wardline(['backup', 'verify', 'latest', '--read-data']);
    expect(code).toBe(0);
  });

  it('names what it does not find', async () => {
    const table = await our.wardline(['restore', 'latest', '--table', 'no.such'], 2);
    expect(table.error?.code).toBe('BACKUP_NOT_FOUND');
    const backup = await our.wardline(['restore', '20200101T000000Z-000000'], 2);
    expect(backup.error?.code).toBe('BACKUP_NOT_FOUND');
    const early = await our.wardline(['restore', 'latest', '--to', '2020-01-01T00:00:00Z', '--replace', '--yes'], 2);
    expect(early.error?.code).toBe('BACKUP_NOT_FOUND');
    const newer = await our.wardline(['restore', 'latest', '--to', new Date().toISOString()], 2);
    expect(newer.error?.code).toBe('USAGE');
  });
});
