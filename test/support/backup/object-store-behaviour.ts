import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readObject, streamOf, type ObjectStore } from '../../../backup/objects/object-store.ts';
import { codeOfAsync } from '../failure.ts';

/** Holds an object store to what `ObjectStore` guarantees; `open` gives an empty one each time. */
export function objectStoreBehaviour(title: string, open: () => ObjectStore | Promise<ObjectStore>): void {
  describe(title, () => {
    let store: ObjectStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const listed = async (prefix: string): Promise<string[]> => {
      const names: string[] = [];
      for await (const { name } of store.list(prefix)) names.push(name);
      return names;
    };

    it('gives back what was put, with its size and time', async () => {
      const before = Date.now();
      const body = randomBytes(100_000);
      expect(await store.put('a/b/c.age', body)).toBe(100_000);
      expect((await readObject(store, 'a/b/c.age')).equals(body)).toBe(true);
      const found = await store.stat('a/b/c.age');
      expect(found).toMatchObject({ name: 'a/b/c.age', bytes: 100_000 });
      expect(Math.abs((found?.modified ?? 0) - before)).toBeLessThan(60_000);
    });

    it('takes an empty object', async () => {
      expect(await store.put('empty', new Uint8Array())).toBe(0);
      expect(await readObject(store, 'empty')).toHaveLength(0);
      expect(await store.stat('empty')).toMatchObject({ bytes: 0 });
    });

    it('takes and gives streams of many megabytes', async () => {
      const [sent, got] = [createHash('sha256'), createHash('sha256')];
      async function* body() {
        for (let part = 0; part < 40; part += 1) {
          const bytes = randomBytes(512 * 1024 + part);
          sent.update(bytes);
          yield await Promise.resolve(bytes);
        }
      }
      const bytes = await store.put('large', body());
      expect(bytes).toBe(40 * 512 * 1024 + 780);
      for await (const part of store.get('large')) got.update(part);
      expect(got.digest('hex')).toBe(sent.digest('hex'));
    });

    it('takes a body that can be made anew', async () => {
      const body = Buffer.from('made');
      expect(await store.put('made', () => streamOf(body))).toBe(4);
      expect((await readObject(store, 'made')).equals(body)).toBe(true);
    });

    it('replaces an object, whole', async () => {
      await store.put('x', Buffer.from('the first, and longer'));
      await store.put('x', Buffer.from('second'));
      expect((await readObject(store, 'x')).toString()).toBe('second');
    });

    it('keeps the former object where the new body fails, and passes the error on', async () => {
      await store.put('kept', Buffer.from('former'));
      async function* failing() {
        yield await Promise.resolve(randomBytes(6 * 1024 * 1024));
        throw new Error('the body broke');
      }
      for (const name of ['kept', 'never']) await expect(store.put(name, failing())).rejects.toThrow('the body broke');
      expect((await readObject(store, 'kept')).toString()).toBe('former');
      expect(await store.stat('never')).toBeUndefined();
      expect(await listed('')).toEqual(['kept']);
    });

    it("passes on a body's error that looks like one of the store's", async () => {
      await expect(store.put('x', () => createReadStream('/no/such/file'))).rejects.toMatchObject({
        code: 'ENOENT',
      });
    });

    it('removes what is unfinished, by its age, and never completes it', async () => {
      const end = Promise.withResolvers<undefined>();
      async function* endless() {
        for (let part = 0; part < 10; part += 1) yield randomBytes(1024 * 1024);
        await end.promise;
      }
      const failed = codeOfAsync(() => store.put('a/unfinished', endless()));
      const [hourAgo, later] = [Date.now() - 3_600_000, Date.now() + 3_600_000];
      expect(await store.removeUnfinished(hourAgo)).toBe(0);
      await vi.waitFor(async () => expect(await store.removeUnfinished(later)).toBe(1), 5000);
      expect(await store.removeUnfinished(later)).toBe(0);
      end.resolve(undefined);
      expect(await failed).toBe('STORE_UNREACHABLE');
      expect(await listed('')).toEqual([]);
    });

    it('says that an object is not there', async () => {
      expect(await store.stat('none/of/it')).toBeUndefined();
      expect(await codeOfAsync(() => readObject(store, 'none/of/it'))).toBe('OBJECT_NOT_FOUND');
      await store.put('none', Buffer.from('x'));
      expect(await codeOfAsync(() => readObject(store, 'none/of'))).toBe('OBJECT_NOT_FOUND');
    });

    it('lists by prefix, in the order of names', async () => {
      for (const name of ['b/2', 'a-x', 'a/10', 'a/9', 'a/b/1', 'ab', 'a.x/1'])
        await store.put(name, Buffer.from(name));
      const all = ['a-x', 'a.x/1', 'a/10', 'a/9', 'a/b/1', 'ab', 'b/2'];
      expect(await listed('')).toEqual(all);
      expect(await listed('a/')).toEqual(['a/10', 'a/9', 'a/b/1']);
      expect(await listed('a')).toEqual(all.filter((name) => name.startsWith('a')));
      expect(await listed('a/b/1')).toEqual(['a/b/1']);
      expect(await listed('c/')).toEqual([]);
    });

    it('lists more than a page', async () => {
      const names = Array.from({ length: 1100 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
      for (let at = 0; at < names.length; at += 50)
        await Promise.all(names.slice(at, at + 50).map((name) => store.put(name, Buffer.from('x'))));
      expect(await listed('many/')).toEqual(names);
    }, 120_000);

    it('removes, and does nothing where there is nothing', async () => {
      await store.put('gone', Buffer.from('x'));
      await store.remove('gone');
      await store.remove('gone');
      await store.remove('never/was');
      expect(await store.stat('gone')).toBeUndefined();
      expect(await listed('')).toEqual([]);
    });

    it('refuses names that could lead elsewhere', async () => {
      for (const name of ['', '/a', 'a/', 'a//b', '../a', 'a/../b', '.', 'a b', 'a\\b', 'ä', 'a\n', 'x'.repeat(600)])
        expect(await codeOfAsync(() => store.put(name, Buffer.from('x')))).toBe('INTERNAL');
    });

    it('has one of two bodies that are put at once, whole', async () => {
      const bodies = [Buffer.alloc(3_000_000, 1), Buffer.alloc(3_000_000, 2)];
      await Promise.all(bodies.map((body) => store.put('raced', body)));
      const got = await readObject(store, 'raced');
      expect(bodies.some((body) => body.equals(got))).toBe(true);
    });
  });
}
