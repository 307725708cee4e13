import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createQueue } from './queue.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whether a promise is settled by the time all that can run has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => void (settled = true);
  promise.then(mark, mark);
  await turn();
  return settled;
}

describe('a bounded queue', () => {
  it('hands out in order all that was pushed, then ends', async () => {
    const items = fc.array(fc.integer());
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 5 }), async (pushed, limit) => {
        const queue = createQueue<number>(limit);
        const writing = (async () => {
          for (const item of pushed) await queue.push(item);
          queue.end();
        })();
        const read: number[] = [];
        for await (const item of queue) read.push(item);
        await writing;
        expect(read).toEqual(pushed);
      }),
    );
  });

  it('makes a writer wait while it is full', async () => {
    const queue = createQueue<number>(2);
    await queue.push(1);
    await queue.push(2);
    const third = queue.push(3);
    expect(await isSettled(third)).toBe(false);
    const reader = queue[Symbol.asyncIterator]();
    expect((await reader.next()).value).toBe(1);
    expect(await isSettled(third)).toBe(true);
  });

  it('never holds more than its limit, however many write', async () => {
    const queue = createQueue<number>(3);
    const pushes = Array.from({ length: 50 }, (_, index) => queue.push(index));
    let settled = 0;
    for (const push of pushes) void push.then(() => (settled += 1));
    await turn();
    expect(settled).toBe(3);
    const reader = queue[Symbol.asyncIterator]();
    for (let read = 1; read <= 50; read += 1) {
      expect((await reader.next()).done).toBe(false);
      await turn();
      expect(settled).toBe(Math.min(50, read + 3));
    }
  });

  it('gives what waits before it ends', async () => {
    const queue = createQueue<number>(5);
    await queue.push(1);
    await queue.push(2);
    queue.end();
    const read: number[] = [];
    for await (const item of queue) read.push(item);
    expect(read).toEqual([1, 2]);
  });

  it('ends with its error at once, without what still waits', async () => {
    const queue = createQueue<number>(5);
    await queue.push(1);
    queue.end(new Error('lost'));
    await expect(queue[Symbol.asyncIterator]().next()).rejects.toThrow('lost');
  });

  it('wakes a reader that waits when it ends', async () => {
    const queue = createQueue<number>(1);
    const next = queue[Symbol.asyncIterator]().next();
    queue.end();
    expect((await next).done).toBe(true);
  });

  it('lets writers go once its reader has left', async () => {
    const queue = createQueue<number>(1);
    await queue.push(1);
    const waiting = queue.push(2);
    for await (const _item of queue) break;
    expect(await isSettled(waiting)).toBe(true);
    expect(await isSettled(queue.push(3))).toBe(true);
  });
});
