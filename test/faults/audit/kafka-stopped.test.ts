import { renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackStatus } from '../../../stack/index.ts';
import { DAEMON_NAMES, stackLayout } from '../../../stack/layout.ts';
import { faultStack, FINE_WINDOWS, type FaultStack } from '../../support/faults/fault-stack.ts';
import { scenario } from '../../support/faults/scenario.ts';
import { whenCommitted } from '../../support/faults/verify.ts';
import { wardline, wardlineOn } from '../../support/wardline.ts';

const KEYS = 500;
const OUTAGE_MILLISECONDS = 30_000;
/** Until a server that could not be started is tried again, and works, and the recorder has brought the spool along. */
const PATIENCE = 90_000;

let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack(FINE_WINDOWS, DAEMON_NAMES);
});

afterAll(() => stack.remove());

type Item = Readonly<Record<string, unknown>>;

/** Ends Kafka and keeps its supervisor from starting it again; returns what lets it. */
async function stopKafka(): Promise<() => void> {
  const { options } = stackLayout(stack.home).kafka;
  renameSync(options, `${options}.away`);
  await stack.killServer('kafka');
  return () => renameSync(`${options}.away`, options);
}

async function events(action: string): Promise<readonly Item[]> {
  const { items } = await wardlineOn(stack.home.path, ['audit', 'query', '--action', action, '--limit', '100']);
  return items.map(({ event }) => event as Item);
}

describe('while Kafka is stopped for half a minute', () => {
  it('a read shows nothing and says why; a rotation goes on, and is in the trail afterwards with its own time', async () => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, 'kafka-stopped', KEYS);
    const [subject = ''] = flow.file.accounts;
    const read = ['read', subject, '--contract', flow.ledger.contract, '--purpose', 'check', '--home', stack.home.path];
    await flow.produce();
    const worker = flow.worker();
    await whenCommitted(flow.observer);
    expect((await worker.stop()).code).toBe(0);
    await flow.close();
    expect((await wardline([...read, '--json'])).items.length).toBeGreaterThan(0);

    const began = Date.now();
    const start = await stopKafka();
    const refused = await wardline([...read, '--json']);
    expect(refused).toMatchObject({ code: 5, stdout: '', error: { code: 'AUDIT_UNAVAILABLE' } });
    expect(refused.error?.hint).toContain('nothing proceeds without its audit event');
    const [from, rotated] = [Date.now(), await wardline(['certs', 'rotate', '--home', stack.home.path])];
    const to = Date.now();
    expect([rotated.code, rotated.stdout]).toEqual([0, expect.stringMatching(/^Rotated: .*reader/)]);
    expect(rotated.stderr).toContain('kafka does not run: it loads them when it starts');
    await sleep(began + OUTAGE_MILLISECONDS - Date.now());
    expect(stackStatus(stack.home).servers).toMatchObject([{ running: false }, { running: true }]);
    const restored = Date.now();
    start();

    const deadline = Date.now() + PATIENCE;
    const asked = ['audit', 'query', '--action', 'certs.rotate', '--home', stack.home.path, '--json'];
    while ((await wardline(asked)).items.length === 0) {
      expect(Date.now(), 'the rotation did not reach the log').toBeLessThan(deadline);
      await sleep(1000);
    }
    const rotations = await events('certs.rotate');
    expect(rotations).toMatchObject([{ actor: { principal: 'operator' }, outcome: 'success' }]);
    const time = Date.parse(String(rotations[0]?.['time']));
    expect([from <= time, time <= to, to < restored]).toEqual([true, true, true]);
    // Of the read that showed nothing there is no event; with the new certificates the next one works.
    expect(await events('read.open')).toHaveLength(1);
    expect((await wardline([...read, '--json'])).items.length).toBeGreaterThan(0);
    expect((await wardlineOn(stack.home.path, ['audit', 'verify', '--signatures'])).json).toMatchObject({
      whole: true,
    });
  });
});
