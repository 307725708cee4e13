import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBell } from './bell.ts';

describe('a bell', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('wakes whoever waits, and leaves no timer behind', async () => {
    const bell = createBell();
    const waiting = bell.next(60_000);
    bell.ring();
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wakes by itself after the time, and not before', async () => {
    const bell = createBell();
    const woken = vi.fn();
    void bell.next(100).then(woken);
    await vi.advanceTimersByTimeAsync(99);
    expect(woken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(woken).toHaveBeenCalledOnce();
  });

  it('keeps no ring for later: who waits next waits for the next one', async () => {
    const bell = createBell();
    bell.ring();
    const woken = vi.fn();
    void bell.next(100).then(woken);
    await vi.advanceTimersByTimeAsync(99);
    expect(woken).not.toHaveBeenCalled();
  });
});
