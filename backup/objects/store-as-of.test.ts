import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../../test/support/scratch.ts';
import { folderStore } from './folder-store.ts';
import { readObject } from './object-store.ts';
import { storeAsOf } from './store-as-of.ts';

const TIME = Date.UTC(2026, 10, 28);
const files = scratch();

it('shows what was there by then, and lets nothing be changed', async () => {
  const store = folderStore(files.folder);
  for (const [name, seconds] of [
    ['a/old', -1],
    ['a/then', 0],
    ['a/new', 1],
  ] as const) {
    await store.put(name, Buffer.from(name));
    utimesSync(join(files.folder, name), TIME / 1000 + seconds, TIME / 1000 + seconds);
  }
  const view = storeAsOf(store, TIME);
  const names: string[] = [];
  for await (const { name } of view.list('a/')) names.push(name);
  expect(names).toEqual(['a/old', 'a/then']);
  expect((await readObject(view, 'a/then')).toString()).toBe('a/then');
  expect(await view.stat('a/old')).toMatchObject({ bytes: 5 });
  expect(await view.stat('a/new')).toBeUndefined();
  await expect(readObject(view, 'a/new')).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  for (const change of [view.put('b', Buffer.from('')), view.remove('a/old'), view.removeUnfinished(TIME)])
    await expect(change).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  expect(await store.stat('a/old')).toBeDefined();
});
