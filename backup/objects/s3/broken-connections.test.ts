import { randomBytes } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCuttingProxy, type CuttingProxy } from '../../../test/support/backup/cutting-proxy.ts';
import { GO_BUILD_MILLISECONDS, HAS_GO_TOOLS } from '../../../test/support/backup/go-tool.ts';
import { startS3Server, type S3Server } from '../../../test/support/backup/s3-server.ts';
import { codeOfAsync } from '../../../test/support/failure.ts';
import { readObject, type ObjectStore } from '../object-store.ts';
import { retryingStore } from '../retrying-store.ts';
import { parseS3Location } from './location.ts';
import { s3Place } from './s3-client.ts';
import { s3Store } from './s3-store.ts';

const MEGABYTE = 1024 * 1024;
const OBJECT = randomBytes(24 * MEGABYTE);

let server: S3Server;
let proxy: CuttingProxy;
let store: ObjectStore;
let cut: ObjectStore;

beforeAll(async () => {
  server = await startS3Server();
  Object.assign(process.env, server.credentials);
  proxy = await startCuttingProxy(Number(new URL(server.endpoint).port));
  await server.client().send(new CreateBucketCommand({ Bucket: 'bucket' }));
  const at = (endpoint: string): ObjectStore =>
    s3Store(s3Place(parseS3Location('s3://bucket'), { endpoint, region: server.region, pathStyle: true }));
  store = at(server.endpoint);
  cut = at(`http://127.0.0.1:${proxy.port}`);
  await store.put('large', OBJECT);
}, GO_BUILD_MILLISECONDS);
afterAll(async () => {
  await cut.close();
  await store.close();
  await proxy.close();
  await server.remove();
});

async function* parts(onPart: (part: number) => Promise<unknown>): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < 24; part += 1) {
    await onPart(part);
    yield OBJECT.subarray(part * MEGABYTE, (part + 1) * MEGABYTE);
  }
}

describe.skipIf(!HAS_GO_TOOLS)('a connection that breaks off', () => {
  it('in an answer is taken up where it broke', async () => {
    proxy.cuts.push(5 * MEGABYTE, 11 * MEGABYTE + 1, 700_000);
    expect((await readObject(cut, 'large')).equals(OBJECT)).toBe(true);
    expect(proxy.cuts).toEqual([]);
  });

  it('does not lead to another object that has taken the place of the first', async () => {
    await store.put('replaced', OBJECT.subarray(0, 20 * MEGABYTE));
    const other = Buffer.alloc(20 * MEGABYTE, 1);
    const read = async (through: ObjectStore): Promise<void> => {
      proxy.cuts.push(12 * MEGABYTE);
      let first = true;
      for await (const _ of through.get('replaced')) {
        if (first) await store.put('replaced', other);
        first = false;
      }
    };
    expect(await codeOfAsync(() => read(cut))).toBe('STORE_UNREACHABLE');
    await store.put('replaced', OBJECT.subarray(0, 20 * MEGABYTE));
    expect(await codeOfAsync(() => read(retryingStore(cut, { seconds: 20 })))).toBe('OBJECT_DAMAGED');
  });
});

describe.skipIf(!HAS_GO_TOOLS)('a server that is killed', () => {
  it('in the middle of a put leaves nothing, and a put that can begin again does', async () => {
    let killed = false;
    const killOnce = async (part: number): Promise<void> => {
      if (killed || part < 20) return;
      killed = true;
      await server.kill();
    };
    expect(await codeOfAsync(() => store.put('put', parts(killOnce)))).toBe('STORE_UNREACHABLE');
    await server.start();
    expect(await store.stat('put')).toBeUndefined();

    killed = false;
    const waiting: string[] = [];
    const patient = retryingStore(store, {
      seconds: 30,
      onWaiting: ({ code }) => {
        waiting.push(code);
        if (waiting.length === 1) void server.start();
      },
    });
    expect(await patient.put('put', () => parts(killOnce))).toBe(OBJECT.length);
    expect(waiting.length).toBeGreaterThan(0);
    expect((await readObject(store, 'put')).equals(OBJECT)).toBe(true);
    expect(await store.removeUnfinished(Date.now() + 60_000)).toBe(2);
  });

  it('in the middle of a get is an error, never a shorter object, and is waited for', async () => {
    const read = async (from: ObjectStore): Promise<Buffer> => {
      const got: Uint8Array[] = [];
      for await (const part of from.get('large')) {
        if (got.length === 0) await server.kill();
        got.push(part);
      }
      return Buffer.concat(got);
    };
    expect(await codeOfAsync(() => read(store))).toBe('STORE_UNREACHABLE');
    await server.start();
    let started: Promise<void> | undefined;
    const onWaiting = (): void => {
      started ??= server.start();
    };
    const patient = retryingStore(store, { seconds: 30, onWaiting });
    expect((await read(patient)).equals(OBJECT)).toBe(true);
    expect(started).toBeDefined();
  });
});
