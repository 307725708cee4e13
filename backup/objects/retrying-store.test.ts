import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WardlineError, type ErrorCode } from '../../core/errors/errors.ts';
import { objectStoreBehaviour } from '../../test/support/backup/object-store-behaviour.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { scratch } from '../../test/support/scratch.ts';
import { folderStore } from './folder-store.ts';
import { limitedStore } from './limited-store.ts';
import { readObject, streamOf, type ObjectStore } from './object-store.ts';
import { retryingStore } from './retrying-store.ts';

const { folder } = scratch();
let stores = 0;
const newFolder = (): ObjectStore => folderStore(join(folder, String((stores += 1))));
const PATIENCE = { seconds: 20 };

objectStoreBehaviour('a store that waits and is limited', () =>
  retryingStore(limitedStore(newFolder(), 1_000_000_000), PATIENCE),
);

/** Fails as often as `failures` says, and for each part of a stream that it says. */
function failing(store: ObjectStore, code: ErrorCode, failures: number) {
  let left = failures;
  const seen: string[] = [];
  const fail = (what: string): void => {
    seen.push(what);
    if ((left -= 1) >= 0) throw new WardlineError(code, 'it fails');
  };
  async function* broken<T>(what: string, parts: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const part of parts) {
      yield part;
      fail(what);
    }
  }
  const weak: ObjectStore = {
    ...store,
    async put(name, body) {
      for await (const _ of streamOf(body)) break;
      fail('put');
      return store.put(name, body);
    },
    get: (name) => broken('get', cut(store.get(name))),
    async stat(name) {
      await Promise.resolve();
      fail('stat');
      return store.stat(name);
    },
    list: (prefix) => broken('list', store.list(prefix)),
    async remove(name) {
      await Promise.resolve();
      fail('remove');
      return store.remove(name);
    },
  };
  return { weak, seen };
}

/** In parts that do not end where the former ones did. */
async function* cut(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of parts)
    for (let at = 0; at < part.length;) {
      const next = Math.min(part.length, at + 1 + Math.floor(Math.random() * 40_000));
      yield part.subarray(at, next);
      at = next;
    }
}

describe('a store that waits', () => {
  it.each(['STORE_UNREACHABLE', 'STORE_FULL'] as const)('calls again after %s, and says so', async (code) => {
    const { weak, seen } = failing(newFolder(), code, 2);
    const waiting: string[] = [];
    const store = retryingStore(weak, { ...PATIENCE, onWaiting: (error) => waiting.push(error.code) });
    expect(await store.put('x', Buffer.from('bytes'))).toBe(5);
    expect(seen).toEqual(['put', 'put', 'put']);
    expect(waiting).toEqual([code, code]);
    expect(await store.stat('x')).toMatchObject({ bytes: 5 });
  });

  it('removes and looks again', async () => {
    const { weak, seen } = failing(newFolder(), 'STORE_UNREACHABLE', 1);
    await retryingStore(weak, PATIENCE).remove('x');
    const other = failing(newFolder(), 'STORE_UNREACHABLE', 1);
    expect(await retryingStore(other.weak, PATIENCE).stat('x')).toBeUndefined();
    expect([seen, other.seen]).toEqual([
      ['remove', 'remove'],
      ['stat', 'stat'],
    ]);
  });

  it('sends a body again only where it can be made anew', async () => {
    const { weak, seen } = failing(newFolder(), 'STORE_UNREACHABLE', 2);
    const store = retryingStore(weak, PATIENCE);
    const bytes = Buffer.from('bytes');
    expect(await codeOfAsync(() => store.put('once', streamOf(bytes)))).toBe('STORE_UNREACHABLE');
    expect(seen).toEqual(['put']);
    expect(await store.put('anew', () => streamOf(bytes))).toBe(5);
    expect((await readObject(store, 'anew')).equals(bytes)).toBe(true);
  });

  it('gives up at once where waiting does not help', async () => {
    const { weak, seen } = failing(newFolder(), 'STORE_REFUSED', 5);
    const store = retryingStore(weak, PATIENCE);
    expect(await codeOfAsync(() => store.put('x', Buffer.from('x')))).toBe('STORE_REFUSED');
    expect(await codeOfAsync(() => store.remove('x'))).toBe('STORE_REFUSED');
    expect(seen).toEqual(['put', 'remove']);
  });

  it('gives up after its patience, and when it is told to', async () => {
    const { weak, seen } = failing(newFolder(), 'STORE_UNREACHABLE', 1000);
    const begun = performance.now();
    expect(await codeOfAsync(() => retryingStore(weak, { seconds: 1 }).stat('x'))).toBe('STORE_UNREACHABLE');
    expect(performance.now() - begun).toBeGreaterThan(900);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(seen.length).toBeGreaterThan(2);
    const stop = new AbortController();
    const store = retryingStore(weak, { ...PATIENCE, signal: stop.signal, onWaiting: () => stop.abort() });
    expect(await codeOfAsync(() => store.stat('x'))).toBe('STORE_UNREACHABLE');
  });

  it('goes on reading where it broke off, as often as it takes', async () => {
    const whole = newFolder();
    const bytes = randomBytes(300_000);
    await whole.put('x', bytes);
    const { weak, seen } = failing(whole, 'STORE_UNREACHABLE', 4);
    expect((await readObject(retryingStore(weak, PATIENCE), 'x')).equals(bytes)).toBe(true);
    expect(seen.length).toBeGreaterThan(4);
  });

  it.each([
    ['another one', randomBytes(300_000)],
    ['a shorter one', Buffer.from('short')],
  ])('never mixes an object with %s that takes its place', async (_what, other) => {
    const whole = newFolder();
    await whole.put('x', randomBytes(300_000));
    const { weak } = failing(whole, 'STORE_UNREACHABLE', 1);
    const store = retryingStore(weak, PATIENCE);
    const read = async (): Promise<void> => {
      for await (const _ of store.get('x')) await whole.put('x', other);
    };
    expect(await codeOfAsync(read)).toBe('OBJECT_DAMAGED');
  });

  it('lists every name once, whatever breaks off', async () => {
    const whole = newFolder();
    const names = Array.from({ length: 20 }, (_, index) => `a/${index + 10}`);
    for (const name of names) await whole.put(name, Buffer.from(name));
    const { weak } = failing(whole, 'STORE_UNREACHABLE', 3);
    const listed: string[] = [];
    for await (const { name } of retryingStore(weak, PATIENCE).list('a/')) listed.push(name);
    expect(listed).toEqual(names);
  });

  it('says at once that there is no such object', async () => {
    const store = retryingStore(newFolder(), PATIENCE);
    expect(await codeOfAsync(() => readObject(store, 'x'))).toBe('OBJECT_NOT_FOUND');
  });
});
