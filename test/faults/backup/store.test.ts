import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { signJws } from '../../../audit/signature/jws.ts';
import { signingKey } from '../../../audit/signature/signing-key.ts';
import { kafkaView } from '../../../backup/archive/kafka-view.ts';
import type { Manifest } from '../../../backup/manifest/manifest.ts';
import { signManifest } from '../../../backup/manifest/signed-manifest.ts';
import { storeNames } from '../../../backup/naming.ts';
import { openBackupStore } from '../../../backup/objects/open-store.ts';
import { waitUntilArchived } from '../../../backup/restore/archive-state.ts';
import type { ObjectFinding } from '../../../backup/verify/verify-backup.ts';
import { trustedKeysOf } from '../../../cli/audit/sources.ts';
import { systemClock } from '../../../core/clock.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { canonicalJson } from '../../../core/encoding/canonical-json.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { testSigner } from '../../support/backup/archive-writer.ts';
import { GO_BUILD_MILLISECONDS } from '../../support/backup/go-tool.ts';
import { startS3Server, type S3Server } from '../../support/backup/s3-server.ts';
import { backedUp, PLAIN_TABLE, type BackedUp } from '../../support/faults/backup/backed-up.ts';
import { fullWhile } from '../../support/faults/backup/store-full.ts';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { ledgerContract, ledgerFile } from '../../support/faults/ledger.ts';
import { startWardline } from '../../support/faults/process.ts';

const OUTAGE_MILLISECONDS = 30_000;
const BUCKET = 'backups';
const [FAILED, USAGE, VERIFICATION_FAILED] = [1, 2, 4];

let server: S3Server;
let stack: FaultStack;

beforeAll(async () => {
  server = await startS3Server();
  Object.assign(process.env, server.credentials);
  await server.client().send(new CreateBucketCommand({ Bucket: BUCKET }));
  const s3 = { endpoint: server.endpoint, region: server.region, pathStyle: true };
  const backup = { store: `s3://${BUCKET}/here`, s3, archive: { chunkSeconds: 1 } };
  stack = await faultStack({ backup }, ['notary', 'archiver']);
}, GO_BUILD_MILLISECONDS);

afterAll(async () => {
  await stack.remove();
  await server.remove();
  for (const name of Object.keys(server.credentials)) Reflect.deleteProperty(process.env, name);
});

describe('an S3 server that is away for half a minute', () => {
  it('is waited for by the backup that is under way, and by the archiver', async () => {
    const { home, folder } = stack;
    const our = await backedUp(stack);
    await our.write(1000);
    const creating = startWardline(home.path, ['backup', 'create', '--rate-limit', '20kB']);
    await expect.poll(async () => (await our.stored('contents')).length, { timeout: 60_000 }).toBeGreaterThan(2);
    await server.kill();
    const away = Date.now();
    const ledger = ledgerContract(folder, 'store-away');
    const { path } = ledgerFile(folder, 'store-away.csv', 500);
    await our.run(['run', '--contract', ledger.contract, '--source', 'csv', '--path', path]);
    await creating.says(/waiting for the store/);
    await sleep(Math.max(0, away + OUTAGE_MILLISECONDS - Date.now()));
    expect(creating.isRunning()).toBe(true);
    await server.start();
    const { code, stdout, stderr } = await creating.ended;
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    await our.expectWhole((JSON.parse(stdout) as { id: string }).id);
    await our.expectNothingLeft();

    const settings = loadSettings(home);
    const connection = loadConnection(home, settings);
    const kafka = kafkaView(kafkaClient(connection, 'operator'));
    const bounds = await kafka.bounds(ledger.topic);
    await kafka.close();
    const high = new Map([...bounds].map(([partition, { high: end }]) => [partition, end]));
    expect(Math.max(...high.values())).toBeGreaterThan(0);
    const store = openBackupStore(home, settings);
    const archive = { store, install: home.install, trusted: trustedKeysOf(connection) };
    expect(await waitUntilArchived(archive, ledger.topic, high, OUTAGE_MILLISECONDS, systemClock)).toBe(true);
    await Promise.all([store.close(), our.close()]);
  });
});

/** A store in a folder, whose patience is short. */
describe('a folder', () => {
  let folder: string;
  let config: string;
  let our: BackedUp;

  beforeAll(async () => {
    folder = join(stack.folder, 'store');
    config = join(stack.folder, 'folder.yaml');
    writeFileSync(config, stringify({ backup: { store: folder, patienceSeconds: 5 } }));
    our = await backedUp(stack, config);
    await our.write();
  });

  afterAll(() => our.close());

  const pathOf = (object: string): string => join(folder, storeNames(stack.home.install).content(object));
  const create = async (): Promise<string> => String((await our.run(['backup', 'create'])).json['id']);

  describe('that is full', () => {
    const creating = (flag: string) =>
      startWardline(stack.home.path, ['backup', 'create', '--config', config], undefined, fullWhile(flag));

    it('is waited for, and what is lacking is said', async () => {
      const flag = join(stack.folder, 'full');
      writeFileSync(flag, '');
      const backup = creating(flag);
      await backup.says(/waiting for the store: .* cannot be used: ENOSPC/);
      rmSync(flag);
      const { code, stdout, stderr } = await backup.ended;
      expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
      await our.expectWhole((JSON.parse(stdout) as { id: string }).id);
    });

    it('ends a backup that waited for long enough, and leaves nothing that a later one trips over', async () => {
      const flag = join(stack.folder, 'full');
      writeFileSync(flag, '');
      const before = await our.backups();
      await our.write();
      const { code, stderr } = await creating(flag).ended;
      expect(code).toBe(FAILED);
      const last = stderr.trimEnd().split('\n').at(-1) ?? '';
      expect(JSON.parse(last)).toMatchObject({
        error: { code: 'STORE_FULL', hint: expect.stringContaining('backup prune') as string },
      });
      rmSync(flag);
      expect(await our.backups()).toEqual(before);
      await our.expectWhole(await create());
      await our.expectNothingLeft();
    });
  });

  describe('whose objects were damaged', () => {
    it('is told by verify, refused by restore, and mended by the next backup', async () => {
      const state = await our.state();
      const backups = [await create(), await create()];
      const { json: manifest } = await our.run(['backup', 'show', 'latest']);
      const files = (manifest as unknown as Manifest).files.filter((file) => PLAIN_TABLE.endsWith(`.${file.table}`));
      const objectOf = (ending: string): string => files.find(({ name }) => name.endsWith(ending))?.object ?? ending;
      const damage = {
        '-Data.db': (path: string) => rmSync(path),
        '-Partitions.db': (path: string) => truncateSync(path, statSync(path).size - 1),
        '-Filter.db': flipBit,
        '-CompressionInfo.db': (path: string) => copyFileSync(pathOf(objectOf('-TOC.txt')), path),
        '-Statistics.db': flipBit,
      };
      const endings = Object.keys(damage) as (keyof typeof damage)[];
      for (const ending of endings) damage[ending](pathOf(objectOf(ending)));

      const { json } = await our.run(['backup', 'verify', 'latest', '--read-data'], VERIFICATION_FAILED);
      const findings = json['findings'] as readonly ObjectFinding[];
      const kinds = new Map(findings.map(({ object, kind }) => [object, kind]));
      expect(endings.map((ending) => kinds.get(objectOf(ending)))).toEqual([
        ...['missing', 'size', 'changed', 'size', 'changed'],
      ]);
      expect(findings).toHaveLength(endings.length);
      for (const finding of findings) {
        expect(finding.backups.filter((id) => backups.includes(id))).toEqual(backups);
        expect(finding.files.join()).toContain(PLAIN_TABLE);
      }

      const { error } = await our.run(['restore', 'latest', '--table', PLAIN_TABLE], VERIFICATION_FAILED);
      expect(['OBJECT_NOT_FOUND', 'OBJECT_DAMAGED']).toContain(error?.code);
      expect(error?.hint).toMatch(/backup verify latest/);
      expect(await our.state()).toEqual(state);

      const mending = await create();
      for (const id of [...backups, mending]) await our.expectWhole(id);
      await our.client.execute(`TRUNCATE ${PLAIN_TABLE}`);
      await our.run(['restore', backups[0] ?? '', '--table', PLAIN_TABLE, '--replace', '--yes']);
      expect(await our.state()).toEqual(state);
    });
  });

  describe('whose newest manifest', () => {
    let genuine: string;
    let path: string;

    beforeEach(async () => {
      const id = (await our.backups()).at(-1) ?? '';
      path = join(folder, storeNames(stack.home.install).manifest(id));
      genuine = readFileSync(path, 'utf8');
    });
    afterEach(() => writeFileSync(path, genuine));

    const content = (): Manifest =>
      JSON.parse(Buffer.from(genuine.split('.')[1] ?? '', 'base64url').toString()) as Manifest;
    const archiverKey = () =>
      signingKey('archiver', readFileSync(join(stack.home.paths.principals, 'archiver', 'signing.key'), 'utf8'));

    it.each([
      {
        fault: 'was altered',
        forge: () => {
          const [header = '', , signature = ''] = genuine.split('.');
          const altered = canonicalJson({ ...content(), files: content().files.slice(1) });
          return [header, Buffer.from(altered).toString('base64url'), signature].join('.');
        },
        expected: { exit: VERIFICATION_FAILED, code: 'BACKUP_DAMAGED', says: /does not carry a signature/ },
      },
      {
        fault: 'is signed by another key',
        forge: () => signManifest(content(), testSigner().key),
        expected: { exit: VERIFICATION_FAILED, code: 'BACKUP_DAMAGED', says: /not by this home's archiver/ },
      },
      {
        fault: 'is of another format version',
        forge: () => signJws(canonicalJson({ ...content(), format: 2 }), archiverKey(), 'wardline-manifest+jws'),
        expected: { exit: USAGE, code: 'BACKUP_FORMAT', says: /format 2; this version of wardline reads format 1/ },
      },
    ])('$fault is refused by every command, and no other backup takes its place', async ({ forge, expected }) => {
      writeFileSync(path, forge());
      const { json } = await our.run(['backup', 'list']);
      const newest = (json['backups'] as readonly { snapshotAt: string | null; note: string }[]).at(-1);
      expect([newest?.snapshotAt, newest?.note]).toEqual([null, expect.stringMatching(expected.says)]);
      for (const args of [
        ['backup', 'verify', 'latest'],
        ['restore', 'latest', '--table', PLAIN_TABLE],
      ]) {
        const { error } = await our.run(args, expected.exit);
        expect(error).toMatchObject({ code: expected.code, message: expect.stringMatching(expected.says) as string });
        expect(error?.hint).toBeTruthy();
      }
      const objects = await our.stored('contents');
      await our.run(['backup', 'prune', '--yes'], VERIFICATION_FAILED);
      expect(await our.stored('contents')).toEqual(objects);
    });
  });
});

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.length - 20;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
