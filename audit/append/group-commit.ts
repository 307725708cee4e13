import { WardlineError } from '../../core/errors/errors.ts';

export interface GroupCommitOptions<T> {
  /** Makes a group durable, in order; resolves when all of it is. Called for one group at a time. */
  readonly write: (group: readonly T[]) => Promise<void>;
  readonly sizeOf: (item: T) => number;
  readonly largestGroup: number;
  readonly largestGroupBytes: number;
  /** More items than this never wait: the next one is refused, so that memory is bounded for callers that do not await. */
  readonly waitingLimit: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly done: () => void;
  readonly failed: (reason: unknown) => void;
}

/**
 * Group commit: while one group is being written, the items that arrive form the next one. So a lone item waits for
 * nobody, and a hundred callers share one round trip. Items are written in the order of `add`.
 */
export class GroupCommit<T> {
  readonly #options: GroupCommitOptions<T>;
  #waiting: Waiting<T>[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: GroupCommitOptions<T>) {
    this.#options = options;
  }

  /**
   * Resolves once the item is durable. Rejects with what `write` rejected with: then everything that waited behind it
   * is rejected too, so that no later event is kept where an earlier one is missing. Rejects with AUDIT_UNAVAILABLE
   * when closed or full.
   */
  add(item: T): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable('the audit log is closed'));
    if (this.#waiting.length >= this.#options.waitingLimit)
      return Promise.reject(unavailable(`${this.#waiting.length} audit events are waiting already`));
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#waiting.push({ item, done: () => resolve(undefined), failed: reject });
    this.#writing ??= this.#writeAll();
    return promise;
  }

  /** Takes no more items, and resolves when those before are durable or rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Whatever is added in this same turn belongs to the first group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#options.write(group.map(({ item }) => item));
        for (const { done } of group) done();
      } catch (error) {
        const behind = this.#waiting;
        this.#waiting = [];
        for (const { failed } of [...group, ...behind]) failed(error);
      }
    }
    this.#writing = undefined;
  }

  #nextGroup(): Waiting<T>[] {
    const { sizeOf, largestGroup, largestGroupBytes } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const { item } of this.#waiting) {
      bytes += sizeOf(item);
      // A single item that is larger than a group still goes, alone.
      if (count > 0 && (count === largestGroup || bytes > largestGroupBytes)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}

function unavailable(reason: string): WardlineError {
  return new WardlineError('AUDIT_UNAVAILABLE', reason, {
    hint: 'nothing proceeds without its audit event: try again later',
  });
}
