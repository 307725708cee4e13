/** Bounds how much work is under way at once. Waiters are served in the order they came. */
export interface Semaphore {
  /**
   * Resolves when `places` of the places are free, with the function that frees them again. Work that needs more than
   * there are at all takes all of them.
   */
  acquire(places?: number): Promise<() => void>;
  /** Places taken now. */
  readonly taken: number;
}

export function createSemaphore(places: number): Semaphore {
  let taken = 0;
  const waiters: { readonly needs: number; readonly go: () => void }[] = [];
  const serve = (): void => {
    for (let next = waiters[0]; next !== undefined && taken + next.needs <= places; next = waiters[0]) {
      waiters.shift();
      taken += next.needs;
      next.go();
    }
  };
  const place = (held: number): (() => void) => {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      taken -= held;
      serve();
    };
  };
  return {
    async acquire(wanted = 1) {
      const needs = Math.min(wanted, places);
      if (waiters.length === 0 && taken + needs <= places) taken += needs;
      else await new Promise<void>((go) => waiters.push({ needs, go }));
      return place(needs);
    },
    get taken() {
      return taken;
    },
  };
}
