import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../test/support/scratch.ts';
import { folderStore } from './folder-store.ts';
import { limitedStore } from './limited-store.ts';
import { readObject, streamOf } from './object-store.ts';

const { folder } = scratch();
const BYTES = 50_000;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

describe('a limited store', () => {
  it('keeps to its rate over all that goes on at once', async () => {
    const store = limitedStore(folderStore(join(folder, 'limited')), 500_000);
    const body = Buffer.alloc(BYTES, 7);
    const put = await seconds(() =>
      Promise.all([store.put('a', body), store.put('b', streamOf(body)), store.put('c', () => streamOf(body))]),
    );
    const all = put + (await seconds(() => Promise.all([readObject(store, 'a'), store.put('d', body)])));
    // 250,000 bytes at 500,000 a second.
    expect(put).toBeGreaterThan(0.25);
    expect(all).toBeGreaterThan(0.45);
    expect(all).toBeLessThan(3);
    expect((await readObject(store, 'c')).equals(body)).toBe(true);
  });

  it('does not save up what was not used', async () => {
    const store = limitedStore(folderStore(join(folder, 'idle')), 500_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await seconds(() => store.put('a', Buffer.alloc(BYTES * 2)))).toBeGreaterThan(0.19);
  });
});
