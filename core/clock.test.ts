import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { microsecondRanges, sleep, systemClock } from './clock.ts';

describe('microsecond ranges', () => {
  it('begin with the clock, in microseconds', () => {
    expect(microsecondRanges({ now: () => 1_451_624_400_000 })(1)).toBe(1_451_624_400_000_000);
  });

  it('stay above the floor where the clock is behind it', () => {
    expect(microsecondRanges({ now: () => 1 }, 9_000_000)(1)).toBe(9_000_001);
  });

  it('never overlap and always rise, whatever the clock does', () => {
    const steps = fc.array(
      fc.record({ now: fc.integer({ min: 0, max: 2 ** 41 }), count: fc.integer({ min: 1, max: 10_000 }) }),
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 2 ** 51 }), (asked, floor) => {
        let now = 0;
        const take = microsecondRanges({ now: () => now }, floor);
        let last = floor;
        for (const step of asked) {
          now = step.now;
          const first = take(step.count);
          expect(first).toBeGreaterThan(last);
          expect(first).toBeGreaterThanOrEqual(now * 1000);
          last = first + step.count - 1;
        }
      }),
    );
  });

  it('keep whole microseconds exact for the times of this century', () => {
    const year2100 = Date.UTC(2100, 0, 1);
    expect(Number.isSafeInteger(microsecondRanges({ now: () => year2100 })(1) + 10_000)).toBe(true);
  });
});

describe('sleep', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('ends after its time and not before', async () => {
    const done = vi.fn();
    void sleep(100).then(done);
    await vi.advanceTimersByTimeAsync(99);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toHaveBeenCalledOnce();
  });

  it('ends at once when the signal aborts, and leaves no timer behind', async () => {
    const controller = new AbortController();
    const sleeping = sleep(60_000, controller.signal);
    controller.abort();
    await sleeping;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not begin under a signal that was aborted before', async () => {
    await sleep(60_000, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('the system clock counts milliseconds since the epoch', () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});
