import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { retry, type RetryPolicy } from './retry.ts';

const policy = (changes: Partial<RetryPolicy> = {}): RetryPolicy => ({
  firstDelayMilliseconds: 100,
  longestDelayMilliseconds: 1000,
  attempts: Infinity,
  retryable: () => true,
  random: () => 1,
  ...changes,
});

/** Fails `failures` times, then gives the number of the attempt. */
function failing(failures: number) {
  return vi.fn((attempt: number) =>
    attempt > failures ? Promise.resolve(attempt) : Promise.reject(new Error(`attempt ${attempt}`)),
  );
}

async function delaysOf(failures: number, changes: Partial<RetryPolicy> = {}): Promise<number[]> {
  const delays: number[] = [];
  const done = retry(
    failing(failures),
    policy({ onRetry: (_error, _attempt, delay) => delays.push(delay), ...changes }),
  );
  await vi.runAllTimersAsync();
  await done;
  return delays;
}

describe('retry', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('calls once what succeeds, and waits for nothing', async () => {
    const work = failing(0);
    expect(await retry(work, policy())).toBe(1);
    expect(work).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('doubles its delays up to the longest', async () => {
    expect(await delaysOf(6)).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('waits between half of a delay and all of it, so that many callers do not come back together', async () => {
    expect(await delaysOf(2, { random: () => 0 })).toEqual([50, 100]);
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
        const [delay] = await delaysOf(1, { random: () => random });
        expect(delay).toBeGreaterThanOrEqual(50);
        expect(delay).toBeLessThanOrEqual(100);
      }),
      { numRuns: 20 },
    );
  });

  it('rethrows the last error once its attempts are used up', async () => {
    const work = failing(9);
    const outcome = expect(retry(work, policy({ attempts: 3 }))).rejects.toThrow('attempt 3');
    await vi.runAllTimersAsync();
    await outcome;
    expect(work).toHaveBeenCalledTimes(3);
  });

  it('rethrows at once what is not retryable', async () => {
    const work = failing(9);
    await expect(retry(work, policy({ retryable: () => false }))).rejects.toThrow('attempt 1');
    expect(work).toHaveBeenCalledOnce();
  });

  it('cuts its waiting short when the signal aborts, tries once more and then gives up', async () => {
    const controller = new AbortController();
    const work = failing(9);
    const outcome = expect(retry(work, policy({ signal: controller.signal }))).rejects.toThrow('attempt 2');
    await vi.advanceTimersByTimeAsync(10);
    controller.abort();
    await outcome;
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('tells of each failure that will be tried again, and not of the last', async () => {
    const onRetry = vi.fn();
    const outcome = expect(retry(failing(9), policy({ attempts: 3, onRetry }))).rejects.toThrow();
    await vi.runAllTimersAsync();
    await outcome;
    expect(onRetry.mock.calls.map(([, attempt]) => attempt as number)).toEqual([1, 2]);
  });
});
