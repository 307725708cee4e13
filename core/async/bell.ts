/** Wakes whoever waits for the next ring. */
export interface Bell {
  readonly ring: () => void;
  /** Resolves at the next ring, or after so many milliseconds all the same. */
  next(milliseconds: number): Promise<void>;
}

export function createBell(): Bell {
  let wake: () => void = () => undefined;
  return {
    ring: () => wake(),
    next: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
