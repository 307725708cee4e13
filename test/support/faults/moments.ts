import { setTimeout as sleep } from 'node:timers/promises';
import { coveredBy, type Observer } from './observer.ts';
import type { RunningWardline } from './process.ts';

/** What a frozen worker left behind: the answer to "is it at the moment we wait for?". */
export type Moment = (observer: Observer) => Promise<boolean>;

/** The moments between two steps of a window, as they show on the servers. */
export const MOMENTS = {
  /** Rows stand in Cassandra that no event names. */
  'between effect and event': async (observer) => {
    const [stored, windows] = [await observer.storedOffsets(), await observer.windows()];
    const covered = coveredBy(windows, 'store');
    return [...stored].some(([partition, offsets]) => highest(offsets) >= (covered.get(partition) ?? 0n));
  },
  /** An event names offsets that the group has not committed. */
  'between event and commit': async (observer) => {
    const committed = await observer.committed();
    const covered = coveredBy(await observer.windows(), 'store');
    return [...covered].some(([partition, end]) => end > (committed.get(partition) ?? 0n));
  },
  /** Of the rows that no event names yet, some stand in Cassandra and ones before them do not. */
  'in mid-batch': async (observer) => {
    const [stored, windows] = [await observer.storedOffsets(), await observer.windows()];
    const covered = coveredBy(windows, 'store');
    return [...stored].some(([partition, offsets]) => hasGap(offsets, covered.get(partition) ?? 0n));
  },
} as const satisfies Record<string, Moment>;

const SETTLE_MILLISECONDS = 60;
const LONGEST_RUN_MILLISECONDS = 40;

/**
 * Stops the process again and again, each time after running a little, until the servers show it at the moment; it stays
 * stopped then. What it had sent when it was stopped is waited for, so that the answer no longer changes.
 * Rejects when the process ends, or after `milliseconds`.
 */
export async function freezeAt(
  worker: RunningWardline,
  observer: Observer,
  moment: Moment,
  milliseconds = 60_000,
): Promise<void> {
  for (const deadline = Date.now() + milliseconds; Date.now() < deadline && worker.isRunning();) {
    worker.signal('SIGSTOP');
    await sleep(SETTLE_MILLISECONDS);
    if (await moment(observer)) return;
    worker.signal('SIGCONT');
    await sleep(1 + Math.random() * LONGEST_RUN_MILLISECONDS);
  }
  throw new Error(`the process was never seen at that moment; it said:\n${worker.said()}`);
}

function highest(offsets: ReadonlySet<bigint>): bigint {
  let most = -1n;
  for (const offset of offsets) if (offset > most) most = offset;
  return most;
}

function hasGap(offsets: ReadonlySet<bigint>, from: bigint): boolean {
  const most = highest(offsets);
  let stored = 0n;
  for (const offset of offsets) if (offset >= from) stored += 1n;
  return stored > 0n && stored < most - from + 1n;
}
