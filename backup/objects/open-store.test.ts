import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  type BucketVersioningStatus,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings, type Settings } from '../../core/configuration.ts';
import { GO_BUILD_MILLISECONDS, HAS_GO_TOOLS } from '../../test/support/backup/go-tool.ts';
import { startS3Server, type S3Server } from '../../test/support/backup/s3-server.ts';
import { codeOf, codeOfAsync } from '../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { readObject, type ObjectStore } from './object-store.ts';
import { openBackupStore, openEscrowStore } from './open-store.ts';

let server: S3Server;
let admin: S3Client;
let temporary: TemporaryHome;
const open: ObjectStore[] = [];

beforeAll(async () => {
  server = await startS3Server();
  admin = server.client();
  Object.assign(process.env, server.credentials);
}, GO_BUILD_MILLISECONDS);
afterAll(async () => {
  admin.destroy();
  await server.remove();
});
beforeEach(() => {
  temporary = temporaryHome();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
  temporary.remove();
});

function settings(backup: { readonly store?: string; readonly escrow?: string }, lockDays = 0): Settings {
  const defaults = loadSettings(undefined);
  const s3 = { endpoint: server.endpoint, region: server.region, pathStyle: true, lockDays };
  return { ...defaults, backup: { ...defaults.backup, ...backup, s3 } };
}

const BYTES = Buffer.from('bytes');
const escrowIn = (escrow: string): ObjectStore => {
  const store = openEscrowStore(temporary.home, settings({ escrow }));
  open.push(store);
  return store;
};

async function bucket(Bucket: string, versioning?: BucketVersioningStatus, lock = false): Promise<string> {
  await admin.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: lock }));
  if (versioning !== undefined) await setVersioning(Bucket, versioning);
  return `s3://${Bucket}/wardline`;
}

async function setVersioning(Bucket: string, Status: BucketVersioningStatus): Promise<void> {
  await admin.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
}

describe.skipIf(!HAS_GO_TOOLS)('the stores of a home', () => {
  it('are folders of the home where the settings say nothing', async () => {
    const { home } = temporary;
    await openBackupStore(home, settings({})).put('a/b', BYTES);
    await openEscrowStore(home, settings({})).put('a/c', BYTES);
    expect(existsSync(join(home.paths.backupStore, 'a/b'))).toBe(true);
    expect(existsSync(join(home.paths.escrowStore, 'a/c'))).toBe(true);
  });

  it('are folders by a path that counts from the home', async () => {
    await openBackupStore(temporary.home, settings({ store: 'elsewhere' })).put('x', BYTES);
    expect(existsSync(join(temporary.home.path, 'elsewhere/x'))).toBe(true);
  });

  it('are buckets, with versions or without for backups', async () => {
    const store = openBackupStore(temporary.home, settings({ store: await bucket('backups', 'Enabled') }));
    open.push(store);
    await store.put('a/b', BYTES);
    expect((await readObject(store, 'a/b')).equals(BYTES)).toBe(true);
    expect(existsSync(join(server.folder, 'backups/wardline/a/b'))).toBe(true);
    await store.remove('a/b');
    expect(await store.stat('a/b')).toBeUndefined();
  });

  it('are refused at once where they have no such form', () => {
    const opened = () => openBackupStore(temporary.home, settings({ store: 's3://key:secret@bucket' }));
    expect(codeOf(opened)).toBe('CONFIGURATION_INVALID');
  });

  it('keep to a rate', async () => {
    const store = openBackupStore(temporary.home, settings({}), { bytesPerSecond: 100_000 });
    const begun = performance.now();
    await store.put('x', Buffer.alloc(30_000));
    expect(performance.now() - begun).toBeGreaterThan(290);
  });

  it('are given up after the patience of the settings, and name what is waited for', async () => {
    const away = { ...settings({ store: 's3://bucket' }).backup };
    const backup = { ...away, patienceSeconds: 1, s3: { ...away.s3, endpoint: 'http://127.0.0.1:9' } };
    const waited: string[] = [];
    const onWaiting = ({ code }: { readonly code: string }): number => waited.push(code);
    const store = openBackupStore(temporary.home, { ...settings({}), backup }, { onWaiting });
    open.push(store);
    expect(await codeOfAsync(() => store.put('x', BYTES))).toBe('STORE_UNREACHABLE');
    expect(new Set(waited)).toEqual(new Set(['STORE_UNREACHABLE']));
  });
});

describe.skipIf(!HAS_GO_TOOLS)('the escrow in a bucket', () => {
  it('takes keys where nothing is kept of what is removed', async () => {
    const store = escrowIn(await bucket('plain'));
    await store.put('keys/a', BYTES);
    await store.remove('keys/a');
    expect(await store.stat('keys/a')).toBeUndefined();
  });

  it.each([
    ['has versions', 'versions', 'Enabled', false],
    ['had versions', 'suspended', 'Suspended', false],
    ['has object lock', 'locked', undefined, true],
  ] as const)('is refused where the bucket %s', async (_what, name, versioning, lock) => {
    const store = escrowIn(await bucket(name, versioning, lock));
    expect(await codeOfAsync(() => store.put('keys/a', BYTES))).toBe('STORE_REFUSED');
    expect(await store.stat('keys/a')).toBeUndefined();
  });

  it('does not say that a key is gone where versions were switched on since', async () => {
    const store = escrowIn(await bucket('switched'));
    await store.put('keys/a', BYTES);
    await setVersioning('switched', 'Enabled');
    expect(await codeOfAsync(() => store.remove('keys/a'))).toBe('STORE_REFUSED');
    expect(await codeOfAsync(() => escrowIn('s3://switched').put('keys/b', BYTES))).toBe('STORE_REFUSED');
  });

  it('is refused where there is no bucket', async () => {
    expect(await codeOfAsync(() => escrowIn('s3://no-such-bucket').put('keys/a', BYTES))).toBe('STORE_REFUSED');
  });
});
