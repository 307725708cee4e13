import { describe, expect, it } from 'vitest';
import { freezeAt, MOMENTS } from '../../support/faults/moments.ts';
import { scenario } from '../../support/faults/scenario.ts';
import { sharedPlace } from '../../support/faults/shared-place.ts';
import { expectCommitsAudited } from '../../support/faults/verify.ts';

const KEYS = 6_000;

const place = sharedPlace();

/** Each has a pipeline of its own, and waits most of the time for the group to give up the one that was killed. */
describe.concurrent('a worker killed', () => {
  it.each(Object.entries(MOMENTS))('%s loses nothing and doubles nothing', async (name, moment) => {
    const id = `killed-${name.replaceAll(' ', '-')}`;
    const flow = await scenario(place, id, KEYS);
    try {
      await flow.produce();
      const first = flow.worker(moment.step);
      await freezeAt(first, flow.observer, moment);
      await expectCommitsAudited(flow.observer);
      await first.kill();

      const second = flow.worker();
      await flow.verify();
      expect((await second.stop()).code).toBe(0);
    } finally {
      await flow.close();
    }
  });
});
