import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSemaphore } from './semaphore.ts';

describe('a semaphore', () => {
  it('never lets more work be under way than it has places, and lets all of it through', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 5, max: 9 })),
        async (places, turns) => {
          const semaphore = createSemaphore(places);
          let underWay = 0;
          let most = 0;
          await Promise.all(
            turns.map(async (count) => {
              const release = await semaphore.acquire();
              underWay += 1;
              most = Math.max(most, underWay);
              for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
              underWay -= 1;
              release();
            }),
          );
          expect(most).toBeLessThanOrEqual(places);
          expect(most).toBe(Math.min(places, turns.length));
          expect(semaphore.taken).toBe(0);
        },
      ),
    );
  });

  it('serves those who wait in the order in which they came', async () => {
    const semaphore = createSemaphore(1);
    const release = await semaphore.acquire();
    const served: string[] = [];
    const wait = async (name: string): Promise<void> => {
      const done = await semaphore.acquire();
      served.push(name);
      done();
    };
    const all = Promise.all([wait('a'), wait('b'), wait('c')]);
    release();
    await all;
    expect(served).toEqual(['a', 'b', 'c']);
  });

  it('counts work by its weight, and lets work that is heavier than all places pass alone', async () => {
    const semaphore = createSemaphore(10);
    const release = await semaphore.acquire(6);
    const served: string[] = [];
    const wait = async (name: string, places: number): Promise<() => void> => {
      const done = await semaphore.acquire(places);
      served.push(name);
      return done;
    };
    const large = wait('large', 50);
    const small = wait('small', 1);
    await Promise.resolve();
    expect([semaphore.taken, served]).toEqual([6, []]);
    release();
    (await large)();
    (await small)();
    expect([semaphore.taken, served]).toEqual([0, ['large', 'small']]);
  });

  it('frees a place once, however often it is released', async () => {
    const semaphore = createSemaphore(2);
    const release = await semaphore.acquire();
    await semaphore.acquire();
    release();
    release();
    expect(semaphore.taken).toBe(1);
  });
});
