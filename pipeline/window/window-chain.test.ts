import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWindowChain, type WindowChain } from './window-chain.ts';
import type { Window } from './window.ts';

const DIGEST_BYTES = 32;

/** Finishing that a test lets go on, or fail, one window at a time. */
class Finishing {
  readonly windows: Window[] = [];
  readonly errors: unknown[] = [];
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  readonly finish = (window: Window): Promise<void> => {
    this.windows.push(window);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  };

  async end(error?: Error): Promise<void> {
    const first = this.#waiting.shift();
    if (error === undefined) first?.resolve();
    else first?.reject(error);
    await turn();
  }
}

let finishing: Finishing;
let chain: WindowChain;

beforeEach(() => {
  finishing = new Finishing();
  chain = createWindowChain({
    records: 10,
    milliseconds: 1000,
    finish: finishing.finish,
    onError: (error) => finishing.errors.push(error),
  });
});

afterEach(() => vi.useRealTimers());

/** Takes in work of so many records that is done at once. */
async function take(records: number): Promise<void> {
  chain.take((window) => {
    window.include(0, 0n, Buffer.alloc(records * DIGEST_BYTES));
    return Promise.resolve();
  });
  await turn();
}

async function isReady(): Promise<boolean> {
  return Promise.race([chain.ready().then(() => true), turn().then(() => false)]);
}

describe('a window', () => {
  it('is finished when it is full', async () => {
    await take(4);
    expect(finishing.windows).toHaveLength(0);
    await take(6);
    expect(finishing.windows.map(({ records }) => records)).toEqual([10]);
  });

  it('is finished after its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await take(1);
    vi.advanceTimersByTime(1000);
    await turn();
    expect(finishing.windows).toHaveLength(1);
  });

  it('is finished only when all its work is done', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    chain.take(() => promise);
    await take(10);
    expect(finishing.windows).toHaveLength(0);
    resolve(undefined);
    await turn();
    expect(finishing.windows).toHaveLength(1);
  });

  it('waits for the one before it', async () => {
    await take(10);
    await take(11);
    expect(finishing.windows.map(({ records }) => records)).toEqual([10]);
    await finishing.end();
    expect(finishing.windows.map(({ records }) => records)).toEqual([10, 11]);
  });
});

describe('work', () => {
  it('waits while two windows are not finished, so that memory is bounded', async () => {
    await take(10);
    expect(await isReady()).toBe(true);
    await take(10);
    expect(await isReady()).toBe(false);
    await finishing.end();
    await finishing.end();
    expect(await isReady()).toBe(true);
  });
});

describe('after an error', () => {
  const broken = new Error('no acknowledgement');

  it('of a finish, no later window is finished, and whoever waits is told', async () => {
    await take(10);
    await take(10);
    const waiting = expect(chain.ready()).rejects.toBe(broken);
    await finishing.end(broken);
    await waiting;
    await take(10);
    expect(finishing.windows).toHaveLength(1);
    await expect(chain.close()).rejects.toBe(broken);
    expect(finishing.errors[0]).toBe(broken);
  });

  it('of work, its window is never finished', async () => {
    chain.take(() => Promise.reject(broken));
    await take(10);
    await expect(chain.close()).rejects.toBe(broken);
    expect(finishing.windows).toHaveLength(0);
    expect(finishing.errors[0]).toBe(broken);
  });
});

it('closes at once where nothing was taken in', async () => {
  await expect(chain.close()).resolves.toBeUndefined();
  expect(finishing.windows).toHaveLength(0);
});
