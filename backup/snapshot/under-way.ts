import { sleep, type Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';

/** What a mark says is under way: a backup counts on objects to stay, a prune removes some. */
export type Undertaking = 'backup' | 'prune';

/** A mark that is older is one of a process that died: no single step takes so long without renewing it. */
const STALE_MILLISECONDS = 60 * 60_000;
const RENEW_MILLISECONDS = 10 * 60_000;
const POLL_MILLISECONDS = 1000;

interface Marks {
  readonly store: ObjectStore;
  readonly install: string;
  readonly clock: Clock;
}

/**
 * Says in the store that something is under way, so that processes on other machines see it, and takes the mark back when
 * the work ends. Whoever marks first and looks for the other's mark afterwards cannot miss it, so that of a backup and a
 * prune at the same time at least one sees the other. Call `othersUnderWay` after this.
 */
export async function markUnderWay<T>(marks: Marks, what: Undertaking, id: string, work: () => Promise<T>): Promise<T> {
  const { store, install } = marks;
  const name = storeNames(install).underWay(what, id);
  const mark = (): Promise<number> => store.put(name, Buffer.from(''));
  await mark();
  // That a mark could not be renewed matters only after an hour of failures, and then the store cannot be used either.
  const renewal = setInterval(() => void mark().catch(() => 0), RENEW_MILLISECONDS).unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await store.remove(name);
  }
}

/** Whether any process has marked that it is at this. */
export async function othersUnderWay({ store, install, clock }: Marks, what: Undertaking): Promise<boolean> {
  for await (const { modified } of store.list(storeNames(install).allUnderWay(what)))
    if (clock.now() - modified < STALE_MILLISECONDS) return true;
  return false;
}

/** Waits until nobody is at this any more. Throws BACKUP_BUSY after `patience` milliseconds. */
export async function waitUntilNoneUnderWay(marks: Marks, what: Undertaking, patience: number): Promise<void> {
  const until = marks.clock.now() + patience;
  while (await othersUnderWay(marks, what)) {
    if (marks.clock.now() >= until)
      throw new WardlineError('BACKUP_BUSY', `a ${what} is under way in ${marks.store.address}`, {
        hint: 'try again when it has ended',
      });
    await sleep(POLL_MILLISECONDS);
  }
}
