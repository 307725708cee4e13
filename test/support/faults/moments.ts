import { setTimeout as sleep } from 'node:timers/promises';
import { coveredBy, type Observer } from './observer.ts';
import type { RunningWardline } from './process.ts';
import { isStopped } from './stopped.ts';
import type { Step } from './stops-itself.ts';

/** A moment between two steps of a window, as it shows on the servers while the process stands still. */
export interface Moment {
  /** Where the process stops itself to be looked at. */
  readonly step: Step;
  readonly isNow: (observer: Observer) => Promise<boolean>;
}

export const MOMENTS = {
  /** Rows stand in Cassandra that no event names. */
  'between effect and event': {
    step: 'before an event',
    async isNow(observer) {
      const [stored, windows] = [await observer.storedOffsets(), await observer.windows()];
      const covered = coveredBy(windows, 'store');
      return [...stored].some(([partition, offsets]) => highest(offsets) >= (covered.get(partition) ?? 0n));
    },
  },
  /** An event names offsets that the group has not committed. */
  'between event and commit': {
    step: 'before a commit',
    async isNow(observer) {
      const committed = await observer.committed();
      const covered = coveredBy(await observer.windows(), 'store');
      return [...covered].some(([partition, end]) => end > (committed.get(partition) ?? 0n));
    },
  },
  /** Of the rows that no event names yet, some stand in Cassandra and ones before them do not. */
  'in mid-batch': {
    step: 'after a batch',
    async isNow(observer) {
      const [stored, windows] = [await observer.storedOffsets(), await observer.windows()];
      const covered = coveredBy(windows, 'store');
      return [...stored].some(([partition, offsets]) => hasGap(offsets, covered.get(partition) ?? 0n));
    },
  },
} as const satisfies Record<string, Moment>;

const SETTLE_MILLISECONDS = 60;
const POLL_MILLISECONDS = 10;
/** The first stops come before the first window; a later one also shows that windows before it were finished. */
const STOPS_PASSED = 3;

/**
 * Lets a process go on that stops itself at the moment's step (`scenario.worker(step)`), until it has passed some stops
 * and the servers show it at the moment; it stays stopped then. What it had sent is waited for, so that the answer no
 * longer changes. Rejects when the process ends, or after `milliseconds`.
 */
export async function freezeAt(
  process: RunningWardline,
  observer: Observer,
  moment: Moment,
  milliseconds = 60_000,
): Promise<void> {
  let stops = 0;
  for (const deadline = Date.now() + milliseconds; Date.now() < deadline && process.isRunning();) {
    if (!(await isStopped(process.pid))) {
      await sleep(POLL_MILLISECONDS);
      continue;
    }
    stops += 1;
    await sleep(SETTLE_MILLISECONDS);
    if (stops > STOPS_PASSED && (await moment.isNow(observer))) return;
    process.signal('SIGCONT');
    await sleep(POLL_MILLISECONDS);
  }
  throw new Error(`the process was never seen at that moment; it said:\n${process.said()}`);
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
