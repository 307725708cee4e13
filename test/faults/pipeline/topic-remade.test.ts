import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { startWardline } from '../../support/faults/process.ts';
import { scenario, type Scenario } from '../../support/faults/scenario.ts';
import { whenCommitted } from '../../support/faults/verify.ts';
import { wardline, wardlineOn } from '../../support/wardline.ts';

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

/** Each has a topic of its own, and waits most of the time. */
describe.concurrent('a topic made again', () => {
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

  it('or whose records were deleted before they were read, ends the worker that should read them: an offset was lost', async () => {
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

describe('the audit topic deleted and made again', () => {
  it('makes the notary refuse, which `status` shows with the reason, until a new epoch is declared', async () => {
    const { home, folder } = stack;
    const status = async () => {
      const { code, json } = await wardline(['status', '--home', home.path, '--json']);
      const daemons = json['daemons'] as readonly { name: string; running: boolean; refusal?: string }[];
      return { code, notary: daemons.find(({ name }) => name === 'notary') };
    };
    const until = async (wanted: (found: Awaited<ReturnType<typeof status>>) => boolean) => {
      for (;;) {
        const found = await status();
        if (wanted(found)) return found;
        await sleep(500);
      }
    };
    expect(await status()).toMatchObject({ code: 0, notary: { running: true } });
    const flow = await scenario({ home: home.path, folder }, 'audit-remade', 1);
    await flow.observer.admin.deleteTopics({ topics: [AUDIT_TOPIC] });
    await flow.close();
    await stack.up();
    const refusing = await until(({ notary }) => notary?.refusal !== undefined);
    expect(refusing).toMatchObject({ code: 5, notary: { running: false } });
    expect(refusing.notary?.refusal).toMatch(/topic/);
    const shown = await wardline(['status', '--home', home.path]);
    expect(shown.stdout).toMatch(/^notary +refuses$/m);
    expect(shown.stderr).toContain(`notary refuses to work: ${refusing.notary?.refusal ?? ''}`);

    const declaring = startWardline(home.path, ['notary', '--new-epoch', '--reason', 'deleted by a test']);
    await declaring.says(/epoch 2 is open/);
    await until(({ notary }) => notary?.running === true);
    expect((await declaring.stop()).code).toBe(0);
    expect((await until(({ notary }) => notary?.running === true)).notary?.refusal).toBeUndefined();
  });
});
