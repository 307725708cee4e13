import { sleep } from '../clock.ts';

export interface RetryPolicy {
  /** First delay; doubles at each attempt. */
  readonly firstDelayMilliseconds: number;
  readonly longestDelayMilliseconds: number;
  /** Gives up after this many attempts; Infinity waits for as long as it takes. */
  readonly attempts: number;
  readonly retryable: (error: unknown) => boolean;
  /** Told of each failure that will be tried again, so that what waits says why. */
  readonly onRetry?: (error: unknown, attempt: number, delayMilliseconds: number) => void;
  readonly signal?: AbortSignal | undefined;
  readonly random?: () => number;
}

/**
 * Calls `work` until it succeeds, with exponential delays in between, each at random between half and all of its ceiling.
 * Rethrows the last error when it is not retryable, the attempts are used up, or the signal aborts.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, policy: RetryPolicy): Promise<T> {
  const random = policy.random ?? Math.random;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= policy.attempts || policy.signal?.aborted || !policy.retryable(error)) throw error;
      const ceiling = Math.min(policy.longestDelayMilliseconds, policy.firstDelayMilliseconds * 2 ** (attempt - 1));
      // At least half the ceiling: jitter down to zero would hammer a server that is just coming back.
      const delay = ceiling * (0.5 + random() * 0.5);
      policy.onRetry?.(error, attempt, delay);
      await sleep(delay, policy.signal);
    }
  }
}
