import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import type { Offsets } from '../../support/faults/observer.ts';
import { denyWrite } from '../../support/faults/rights.ts';
import { MEMORY_LIMIT_BYTES, type RunningWardline } from '../../support/faults/process.ts';
import { scenario, type Scenario } from '../../support/faults/scenario.ts';
import { sharedPlace } from '../../support/faults/shared-place.ts';

const KEYS = 12_000;
const FEW_KEYS = 2000;
const REFUSED_MILLISECONDS = 12_000;
const SETTLE_MILLISECONDS = 3000;
/** Windows of 400 records: what two closed ones, an open one and the batches under way can hold. */
const UNAUDITED_LIMIT = 20_000;

const place = sharedPlace();

/** A worker that has begun, on the record, and has nothing to store yet. */
async function idleWorker(flow: Scenario): Promise<RunningWardline> {
  const worker = flow.worker();
  await worker.says(/: storing/);
  await sleep(SETTLE_MILLISECONDS);
  return worker;
}

const total = (offsets: Offsets): number => Number([...offsets.values()].reduce((sum, offset) => sum + offset, 0n));
const waits = (said: string): number => said.split('\n').filter((line) => line.startsWith('waiting:')).length;

/** What a worker has stored stays uncommitted, and bounded. Killed between effect and event for certain, it has a successor. */
async function waitsInVain(flow: Scenario, worker: RunningWardline): Promise<RunningWardline> {
  await worker.says(/waiting: audit log: .*[Aa]uthori[sz]/);
  await sleep(REFUSED_MILLISECONDS);
  expect(total(await flow.observer.committed())).toBe(0);
  const stored = [...(await flow.observer.storedOffsets()).values()].reduce((sum, { size }) => sum + size, 0);
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThan(UNAUDITED_LIMIT);
  expect(waits(worker.said())).toBe(1);
  expect(worker.isRunning()).toBe(true);
  await worker.kill();
  const successor = flow.worker();
  await successor.says(/waiting: audit log/);
  return successor;
}

/** Asked once, a worker goes on waiting; asked again it gives up, and leaves uncommitted what is not audited. */
async function givesUp(flow: Scenario, worker: RunningWardline): Promise<RunningWardline> {
  await worker.says(/waiting: audit log/);
  worker.signal('SIGTERM');
  await sleep(3000);
  expect(worker.isRunning()).toBe(true);
  const { code, stderr } = await worker.stop();
  expect([code, stderr]).toEqual([5, expect.stringContaining('AUDIT_UNAVAILABLE')]);
  expect(total(await flow.observer.committed())).toBe(0);
  return flow.worker();
}

describe('while the audit topic takes no events', () => {
  it('workers commit nothing, say why once, and go on when they may; asked twice to end, one gives up', async () => {
    const flows = [
      await scenario(place, 'audit-refused-worker', KEYS),
      await scenario(place, 'audit-refused-end', FEW_KEYS),
    ] as const;
    const [waiting, ending] = flows;
    const workers = [await idleWorker(waiting), await idleWorker(ending)] as const;
    const allow = await denyWrite(waiting.observer.admin, 'worker', AUDIT_TOPIC);
    try {
      await Promise.all(flows.map((flow) => flow.produce()));
      const successors = await Promise.all([waitsInVain(waiting, workers[0]), givesUp(ending, workers[1])]);
      await allow();
      for (const flow of flows) await flow.verify();
      for (const successor of successors) {
        expect(successor.mostMemory()).toBeLessThan(MEMORY_LIMIT_BYTES);
        expect((await successor.stop()).code).toBe(0);
      }
    } finally {
      await allow();
      await Promise.all(flows.map((flow) => flow.close()));
    }
  });

  it('a source moves its position no further, and stops sending', async () => {
    const flow = await scenario(place, 'audit-refused-source', KEYS);
    const worker = flow.worker();
    const source = flow.source('--rate', '5000/s');
    while (total(await flow.observer.committed()) < 1000 && source.isRunning()) await sleep(20);
    const allow = await denyWrite(flow.observer.admin, 'source', AUDIT_TOPIC);
    try {
      await source.says(/waiting: audit log/);
      const whenRefused = total(await flow.observer.ends());
      await sleep(SETTLE_MILLISECONDS);
      const sent = total(await flow.observer.ends());
      expect(sent - whenRefused).toBeLessThan(UNAUDITED_LIMIT);
      await sleep(REFUSED_MILLISECONDS);
      expect(total(await flow.observer.ends())).toBe(sent);
      expect(waits(source.said())).toBe(1);
      await source.kill();

      const successor = flow.source();
      await successor.says(/waiting: audit log/);
      const position = Number(/going on after record (\d+)/.exec(successor.said())?.[1]);
      expect(position).toBeGreaterThan(0);
      expect(position).toBeLessThan(sent);
      await allow();
      expect((await successor.ended).code).toBe(0);
      await flow.verify();
      expect((await worker.stop()).code).toBe(0);
    } finally {
      await allow();
      await flow.close();
    }
  });
});
