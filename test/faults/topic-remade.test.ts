import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultStack, type FaultStack } from '../support/faults/fault-stack.ts';
import { scenario, type Scenario } from '../support/faults/scenario.ts';
import { whenCommitted } from '../support/faults/verify.ts';
import { wardlineOn } from '../support/wardline.ts';

const KEYS = 3000;

let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack();
});

afterAll(() => stack.remove());

async function remake({ observer, ledger }: Scenario): Promise<void> {
  await observer.admin.deleteTopics({ topics: [ledger.topic] });
  await sleep(1000);
  await wardlineOn(stack.home.path, ['contract', 'apply', ledger.contract]);
}

async function incarnations({ observer, ledger }: Scenario): Promise<ReadonlySet<string>> {
  const { rows } = await observer.cassandra.execute(`SELECT wardline_incarnation FROM ${ledger.table}`, [], {
    prepare: true,
    fetchSize: 2 * KEYS,
  });
  return new Set(rows.map((row) => String(row['wardline_incarnation'])));
}

describe('a topic made again', () => {
  it.each([
    { moment: 'and filled again', refill: true },
    { moment: 'and left empty for now', refill: false },
  ])('under a running worker $moment ends it: an offset was lost', async ({ refill }) => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, `remade-${refill}`, KEYS);
    try {
      await flow.produce();
      const worker = flow.worker();
      await whenCommitted(flow.observer);
      await remake(flow);
      if (!refill) await sleep(10_000);
      await flow.produce();
      const { code, stderr } = await worker.ended;
      expect([code, stderr]).toEqual([1, expect.stringContaining('KAFKA_OFFSET_LOST')]);
    } finally {
      await flow.close();
    }
  });

  it('while the worker stood still ends it, too, though its next offset fits the new topic', async () => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, 'remade-unseen', KEYS);
    try {
      await flow.produce();
      const worker = flow.worker();
      await whenCommitted(flow.observer);
      const ends = await flow.observer.ends();
      worker.signal('SIGSTOP');
      await remake(flow);
      await flow.produce();
      expect(await flow.observer.ends()).toEqual(ends);
      await flow.produce();
      await sleep(6000);
      worker.signal('SIGCONT');
      const { code, stderr } = await worker.ended;
      expect([code, stderr]).toEqual([1, expect.stringContaining('KAFKA_OFFSET_LOST')]);
    } finally {
      await flow.close();
    }
  });

  it('while no worker ran is a life of its own: all of it is stored, nothing passed over', async () => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, 'remade-stopped', KEYS);
    try {
      await flow.produce();
      const first = flow.worker();
      await whenCommitted(flow.observer);
      expect((await first.stop()).code).toBe(0);
      const before = await incarnations(flow);
      await remake(flow);
      await flow.produce();
      const second = flow.worker();
      await whenCommitted(flow.observer);
      expect((await second.stop()).code).toBe(0);
      const after = await incarnations(flow);
      expect([...after].filter((incarnation) => before.has(incarnation))).toEqual([]);
    } finally {
      await flow.close();
    }
  });
});

describe('records deleted before they were read', () => {
  it('end the worker that should read them: an offset was lost', async () => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, 'records-deleted', KEYS);
    try {
      await flow.produce();
      const first = flow.worker();
      await whenCommitted(flow.observer);
      expect((await first.stop()).code).toBe(0);
      await flow.produce();
      const ends = await flow.observer.ends();
      await flow.observer.admin.deleteTopicRecords({
        topic: flow.ledger.topic,
        partitions: [...ends].map(([partition, end]) => ({ partition, offset: String(end - 1n) })),
      });
      const { code, stderr } = await flow.worker().ended;
      expect([code, stderr]).toEqual([1, expect.stringContaining('KAFKA_OFFSET_LOST')]);
    } finally {
      await flow.close();
    }
  });
});
