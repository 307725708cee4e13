/** Time as a dependency, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * Gives ranges of strictly increasing microseconds since the epoch, above `floor`, even where the clock stands still
 * or goes back: called with a count, it returns the first of as many consecutive ones.
 */
export function microsecondRanges(clock: Clock, floor = 0): (count: number) => number {
  let last = floor;
  return (count) => {
    const first = Math.max(clock.now() * 1000, last + 1);
    last = first + count - 1;
    return first;
  };
}

/** Resolves after `milliseconds`, or at once when the signal aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}
