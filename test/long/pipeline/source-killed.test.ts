import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Offsets } from '../../support/faults/observer.ts';
import { scenario } from '../../support/faults/scenario.ts';
import { sharedPlace } from '../../support/faults/shared-place.ts';

const KEYS = 9_000;
const RATE = '3000/s';
const KILLS = 4;

const place = sharedPlace();

const total = (offsets: Offsets): number => Number([...offsets.values()].reduce((sum, offset) => sum + offset, 0n));

describe.concurrent('a source killed', () => {
  it('goes on where it was acknowledged, and leaves each record once', async () => {
    const flow = await scenario(place, 'source-killed', KEYS);
    try {
      const worker = flow.worker();
      let resumedAt = 0;
      for (let kill = 0; kill < KILLS; kill += 1) {
        const source = flow.source('--rate', RATE);
        if (kill > 0) {
          await source.says(/going on after record (\d+)/);
          const resumed = Number(/going on after record (\d+)/.exec(source.said())?.[1]);
          expect(resumed).toBeGreaterThanOrEqual(resumedAt);
          // What the position names is on the topic, and on the record.
          expect(total(await flow.observer.ends())).toBeGreaterThanOrEqual(resumed);
          const windows = (await flow.observer.windows()).filter(({ stage }) => stage === 'produce');
          const audited = windows.flatMap(({ ranges }) => ranges.map(({ from, to }) => Number(to - from) + 1));
          expect(audited.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(resumed);
          resumedAt = resumed;
        }
        const before = total(await flow.observer.ends());
        while (total(await flow.observer.ends()) < before + 500 && source.isRunning()) await sleep(100);
        await sleep(Math.random() * 300);
        await source.kill();
      }
      expect(resumedAt).toBeGreaterThan(0);
      const last = await flow.source().ended;
      expect([last.code, last.stderr]).toEqual([0, expect.stringContaining('going on after record')]);
      await flow.verify();
      expect((await worker.stop()).code).toBe(0);
    } finally {
      await flow.close();
    }
  });

  it('and asked to end goes on there, too, as `run` does', async () => {
    const flow = await scenario(place, 'run-stopped', KEYS);
    try {
      const run = flow.run('--rate', RATE);
      while (total(await flow.observer.committed()) < 1000 && run.isRunning()) await sleep(50);
      expect((await run.stop()).code).toBe(0);
      const again = flow.run();
      await again.says(/going on after record \d+/);
      expect((await again.ended).code).toBe(0);
      await flow.verify();
    } finally {
      await flow.close();
    }
  });
});
