import { createWindow, type Window } from './window.ts';

export interface WindowChainOptions {
  /** A window is closed after this many records, this time, or this many dead letters, whichever is first. */
  readonly records: number;
  readonly milliseconds: number;
  /** What follows once all effects of a window are done: its events, then the commit. Windows finish one after another, in order. */
  readonly finish: (window: Window) => Promise<void>;
  /** Told of the first error of any work or finish; no later window is finished after it. */
  readonly onError: (error: unknown) => void;
}

/** Windows that follow one another: work is taken into the open one; a closed one is finished when its work is done. */
export interface WindowChain {
  /** Resolves when work may be taken in. Waits while closed windows are not finished: unaudited work must not pile up. */
  ready(): Promise<void>;
  /** Starts work that belongs to the window now open. Work of one chain runs side by side; bound it yourself. */
  take(work: (window: Window) => Promise<void>): void;
  /** Closes the open window and resolves when it, and all before it, are finished. Rejects with the chain's first error. */
  close(): Promise<void>;
}

/** A window with this many dead letters is closed, so that its event can leave each of their offsets out. */
const REJECTED_PER_WINDOW = 1000;

export function createWindowChain(options: WindowChainOptions): WindowChain {
  let open = openWindow();
  let finished: Promise<void> = Promise.resolve();
  let unfinished = 0;

  interface OpenWindow {
    readonly window: Window;
    readonly work: Promise<void>[];
    timer: NodeJS.Timeout | undefined;
  }

  function openWindow(): OpenWindow {
    return { window: createWindow(), work: [], timer: undefined };
  }

  function close(): Promise<void> {
    const closing = open;
    clearTimeout(closing.timer);
    if (closing.work.length === 0) return finished;
    open = openWindow();
    unfinished += 1;
    finished = finished.then(async () => {
      await Promise.all(closing.work);
      await options.finish(closing.window);
      unfinished -= 1;
    });
    finished.catch(options.onError);
    return finished;
  }

  function closeIfOpen(window: OpenWindow): void {
    // An error of the closing reaches the owner by `onError`.
    if (window === open) void close().catch(() => undefined);
  }

  return {
    async ready() {
      if (unfinished > 1) await finished;
    },
    take(work) {
      const taken = open;
      taken.timer ??= setTimeout(() => closeIfOpen(taken), options.milliseconds);
      const done = work(taken.window).then(() => {
        const full = taken.window.records >= options.records || taken.window.rejected >= REJECTED_PER_WINDOW;
        if (full) closeIfOpen(taken);
      });
      done.catch(options.onError);
      taken.work.push(done);
    },
    close,
  };
}
