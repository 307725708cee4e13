/** A queue of bounded length between one producer of work and one reader: a full queue makes the producer wait. */
export interface BoundedQueue<T> extends AsyncIterable<T> {
  /** Resolves when there is room. Resolves without effect after `end`. */
  push(item: T): Promise<void>;
  /** No more items: the reader ends after those that wait, or with `error` at once. */
  end(error?: unknown): void;
}

export function createQueue<T>(limit: number): BoundedQueue<T> {
  const items: T[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let wakeReader: () => void = () => undefined;
  let writers: (() => void)[] = [];

  const wakeWriters = (): void => {
    const waiting = writers;
    writers = [];
    for (const wake of waiting) wake();
  };

  return {
    async push(item) {
      while (items.length >= limit && !ended) await new Promise<void>((resolve) => writers.push(resolve));
      if (ended) return;
      items.push(item);
      wakeReader();
    },
    end(error) {
      ended = true;
      if (error !== undefined) failure = { error };
      wakeReader();
      wakeWriters();
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          if (failure !== undefined) throw failure.error;
          const item = items.shift();
          if (item !== undefined) {
            wakeWriters();
            yield item;
          } else if (ended) return;
          else await new Promise<void>((resolve) => (wakeReader = resolve));
        }
      } finally {
        ended = true;
        wakeWriters();
      }
    },
  };
}
