import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, GetObjectRetentionCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GO_BUILD_MILLISECONDS, HAS_GO_TOOLS } from '../../../test/support/backup/go-tool.ts';
import { objectStoreBehaviour } from '../../../test/support/backup/object-store-behaviour.ts';
import { startS3Server, type S3Server } from '../../../test/support/backup/s3-server.ts';
import { codeOfAsync } from '../../../test/support/failure.ts';
import { readObject, type ObjectStore } from '../object-store.ts';
import { parseS3Location } from './location.ts';
import { s3Place } from './s3-client.ts';
import { s3Store } from './s3-store.ts';

let server: S3Server;
let buckets = 0;

beforeAll(async () => {
  server = await startS3Server();
  Object.assign(process.env, server.credentials);
}, GO_BUILD_MILLISECONDS);
afterAll(() => server.remove());

async function bucket(options: { readonly lock?: boolean } = {}): Promise<string> {
  const Bucket = `bucket-${(buckets += 1)}`;
  await server.client().send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: options.lock === true }));
  return Bucket;
}

const place = (location: string) =>
  s3Place(parseS3Location(location), { endpoint: server.endpoint, region: server.region, pathStyle: true });

if (HAS_GO_TOOLS)
  objectStoreBehaviour('a bucket of an S3 server', async () => s3Store(place(`s3://${await bucket()}`)));
if (HAS_GO_TOOLS)
  objectStoreBehaviour('a prefix in such a bucket', async () => s3Store(place(`s3://${await bucket()}/a/prefix`)));

async function* parts(count: number): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < count; part += 1) yield await Promise.resolve(Buffer.alloc(1024 * 1024, part));
}

/** What each call of a store ends with. */
async function codesOf(store: ObjectStore): Promise<ReadonlySet<string>> {
  const calls = [
    () => store.put('x', Buffer.from('x')),
    () => store.put('x', parts(9)),
    () => readObject(store, 'x'),
    () => store.stat('x'),
    () => store.list('')[Symbol.asyncIterator]().next(),
    () => store.remove('x'),
    () => store.removeUnfinished(0),
  ];
  return new Set(await Promise.all(calls.map(codeOfAsync)));
}

describe.skipIf(!HAS_GO_TOOLS)('an S3 server', () => {
  it('that does not know the bucket refuses everything', async () => {
    expect(await codesOf(s3Store(place('s3://no-such-bucket')))).toEqual(new Set(['STORE_REFUSED']));
  });

  it('that does not know the key, or finds the secret wrong, refuses everything and repeats neither', async () => {
    const location = `s3://${await bucket()}`;
    for (const wrong of [{ AWS_ACCESS_KEY_ID: 'NOBODY' }, { AWS_SECRET_ACCESS_KEY: 'a-wrong-secret' }]) {
      Object.assign(process.env, wrong);
      const store = s3Store(place(location));
      expect(await codesOf(store)).toEqual(new Set(['STORE_REFUSED']));
      const error: unknown = await store.put('x', Buffer.from('x')).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STORE_REFUSED', hint: expect.stringContaining('credentials') as string });
      expect(String(error)).not.toMatch(/NOBODY|a-wrong-secret/);
      Object.assign(process.env, server.credentials);
    }
  });

  it('gives what was changed on its disk, and says at the end that it is damaged', async () => {
    const name = await bucket();
    const store = s3Store(place(`s3://${name}`));
    await store.put('x', randomBytes(1000));
    const file = join(server.folder, name, 'x');
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(500) ^ 1, 500);
    writeFileSync(file, bytes);
    expect(await codeOfAsync(() => readObject(store, 'x'))).toBe('OBJECT_DAMAGED');
  });

  it('locks objects for as long as it is told to, where the bucket has object lock', async () => {
    const [locking, plain] = [await bucket({ lock: true }), await bucket()];
    const store = s3Store(place(`s3://${locking}`), 10);
    for (const [Key, body] of [['small', Buffer.from('x')] as const, ['large', parts(9)] as const]) {
      await store.put(Key, body);
      const { Retention } = await server.client().send(new GetObjectRetentionCommand({ Bucket: locking, Key }));
      expect(Retention?.Mode).toBe('GOVERNANCE');
      const days = ((Retention?.RetainUntilDate?.getTime() ?? 0) - Date.now()) / (24 * 3_600_000);
      expect(Math.abs(days - 10)).toBeLessThan(0.1);
    }
    await store.remove('small');
    expect(await store.stat('small')).toBeUndefined();
    expect(await codeOfAsync(() => s3Store(place(`s3://${plain}`), 10).put('x', Buffer.from('x')))).toBe(
      'STORE_REFUSED',
    );
  });

  it('that is not there is unreachable', async () => {
    const nowhere = s3Place(parseS3Location('s3://bucket'), {
      endpoint: 'http://127.0.0.1:9',
      region: 'us-east-1',
      pathStyle: true,
    });
    expect(await codesOf(s3Store(nowhere))).toEqual(new Set(['STORE_UNREACHABLE']));
  });
});
