import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { FINE_WINDOWS } from '../support/faults/fault-stack.ts';
import { freezeAt, MOMENTS } from '../support/faults/moments.ts';
import { denyWrite } from '../support/faults/rights.ts';
import type { Observer } from '../support/faults/observer.ts';
import { scenario, type Scenario } from '../support/faults/scenario.ts';
import { expectCommitsAudited } from '../support/faults/verify.ts';
import { scratch } from '../support/scratch.ts';
import { withStack } from '../support/stack.ts';

const KEYS = 3000;
const REFUSED_MILLISECONDS = 2000;
/** A window is finished, its position kept, before the next one's events are sent. */
const WINDOWS_BEFORE_KILL = 2;

const { home } = withStack();
const files = scratch();
const config = files.file('fine-windows.yaml', stringify(FINE_WINDOWS));

/** Runs a fault on a pipeline of its own, then verifies that nothing was lost or doubled. */
async function survives(id: string, fault: (flow: Scenario) => Promise<void>): Promise<void> {
  const flow = await scenario({ home: home.path, folder: files.folder, config }, id, KEYS);
  try {
    await fault(flow);
    await flow.verify();
  } finally {
    await flow.close();
  }
}

async function committedRecords({ observer }: Scenario): Promise<bigint> {
  return [...(await observer.committed()).values()].reduce((sum, offset) => sum + offset, 0n);
}

/** Resolves when the audit log holds so many windows of a stage. */
async function windowsOf(observer: Observer, stage: string, count: number): Promise<void> {
  const held = async (): Promise<number> =>
    (await observer.windows()).filter((window) => window.stage === stage).length;
  while ((await held()) < count) await sleep(20);
}

/** The other moments are among `npm run test:faults`. */
const MOMENT = 'between event and commit';

describe('a worker killed', () => {
  it(`${MOMENT} loses nothing and doubles nothing`, async () => {
    await survives('quick-worker', async (flow) => {
      await flow.produce();
      const moment = MOMENTS[MOMENT];
      const worker = flow.worker(moment.step);
      await freezeAt(worker, flow.observer, moment);
      await expectCommitsAudited(flow.observer);
      await worker.kill();
      flow.worker();
    });
  });
});

describe('a source killed', () => {
  it('goes on where it was acknowledged', async () => {
    await survives('quick-source', async (flow) => {
      flow.worker();
      // Slow enough that it is killed long before its end, however busy the machine is.
      const source = flow.source('--rate', '500/s');
      await windowsOf(flow.observer, 'produce', WINDOWS_BEFORE_KILL);
      await source.kill();
      const { code, stderr } = await flow.source().ended;
      expect([code, stderr]).toEqual([0, expect.stringContaining('going on after record')]);
    });
  });
});

describe('an audit topic that takes no events', () => {
  it('stops the commits, and says why', async () => {
    await survives('quick-audit', async (flow) => {
      const worker = flow.worker();
      await worker.says(/: storing/);
      await sleep(REFUSED_MILLISECONDS);
      const allow = await denyWrite(flow.observer.admin, 'worker', AUDIT_TOPIC);
      try {
        await flow.produce();
        await worker.says(/waiting: audit log/);
        await sleep(REFUSED_MILLISECONDS);
        expect(await committedRecords(flow)).toBe(0n);
      } finally {
        await allow();
      }
    });
  });
});
