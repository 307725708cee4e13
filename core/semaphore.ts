/** Bounds how much work is under way at once. Waiters are served in the order they came. */
export interface Semaphore {
  /** Resolves when one of the places is free, with the function that frees it again. */
  acquire(): Promise<() => void>;
  /** Places taken now. */
  readonly taken: number;
}

export function createSemaphore(places: number): Semaphore {
  let taken = 0;
  const waiters: (() => void)[] = [];
  const release = (): void => {
    const next = waiters.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
  const place = (): (() => void) => {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      release();
    };
  };
  return {
    async acquire() {
      if (taken < places) taken += 1;
      else await new Promise<void>((resolve) => waiters.push(resolve));
      return place();
    },
    get taken() {
      return taken;
    },
  };
}
