import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Offsets } from '../../support/faults/observer.ts';
import type { RunningWardline } from '../../support/faults/process.ts';
import { scenario, type Scenario } from '../../support/faults/scenario.ts';
import { sharedPlace } from '../../support/faults/shared-place.ts';

const KEYS = 8_000;
const RATE = '1000/s';
/** Longer than a group waits for a silent member. */
const BEYOND_SESSION = 20_000;

const place = sharedPlace();

const total = (offsets: Offsets): number => Number([...offsets.values()].reduce((sum, offset) => sum + offset, 0n));

async function whenStored({ observer }: Scenario, records: number): Promise<void> {
  while (total(await observer.committed()) < records) await sleep(100);
}

/** Whether commits ever went back, looked at all the time until `done`. */
async function commitsWentBack({ observer }: Scenario, done: () => boolean): Promise<string[]> {
  const back: string[] = [];
  let before: Offsets = new Map();
  while (!done()) {
    const now = await observer.committed();
    for (const [partition, offset] of now) {
      const earlier = before.get(partition) ?? 0n;
      if (offset < earlier) back.push(`${partition}: from ${earlier} to ${offset}`);
    }
    before = now;
    await sleep(50);
  }
  return back;
}

async function shared(
  id: string,
  fault: (flow: Scenario, first: RunningWardline, second: RunningWardline) => Promise<void>,
): Promise<void> {
  const flow = await scenario(place, id, KEYS);
  try {
    let done = false;
    const source = flow.source('--rate', RATE);
    const first = flow.worker();
    await whenStored(flow, 1000);
    const watching = commitsWentBack(flow, () => done);
    // Joins in the middle of windows.
    const second = flow.worker();
    await whenStored(flow, 6000);
    await fault(flow, first, second);
    expect((await source.ended).code).toBe(0);
    await flow.verify();
    done = true;
    expect(await watching).toEqual([]);
    for (const worker of [first, second].filter((candidate) => candidate.isRunning()))
      expect((await worker.stop()).code).toBe(0);
  } finally {
    await flow.close();
  }
}

describe('two workers', () => {
  it('share partitions; when one is killed the other stores its part', async () => {
    await shared('workers-killed', async (_flow, first) => {
      await first.kill();
    });
  });

  it('do not take one another’s commits back when one was away for longer than the group waits', async () => {
    await shared('workers-away', async (_flow, first, second) => {
      first.signal('SIGSTOP');
      await sleep(BEYOND_SESSION);
      first.signal('SIGCONT');
      await sleep(5000);
      expect([first.isRunning(), second.isRunning()]).toEqual([true, true]);
    });
  });

  it('can come and go again and again', async () => {
    await shared('workers-come-and-go', async (flow) => {
      for (let round = 0; round < 3; round += 1) {
        const third = flow.worker();
        await third.says(/: storing/);
        await sleep(2000);
        expect((await third.stop()).code).toBe(0);
      }
    });
  });
});
