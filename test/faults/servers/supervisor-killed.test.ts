import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { scenario } from '../../support/faults/scenario.ts';
import { stackStatus } from '../../../stack/index.ts';
import { signal } from '../../../stack/process/identity.ts';
import { runningServer } from '../../../stack/supervisor/control.ts';
import { wardline } from '../../support/wardline.ts';

const KEYS = 8_000;
const RATE = '1000/s';

let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack();
});

afterAll(() => stack.remove());

describe('the supervisor killed', () => {
  it('is noticed; its servers go on, a server that ends then is waited for, and `up` mends it', async () => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, 'supervisor-killed', KEYS);
    try {
      const run = flow.run('--rate', RATE);
      while ((await flow.observer.committed()).size === 0 && run.isRunning()) await sleep(50);
      const servers = stackStatus(stack.home).servers.map(({ pid }) => pid);
      await stack.killSupervisor();
      const status = await wardline(['status', '--home', stack.home.path, '--json']);
      expect([status.code, status.json['supervisor']]).toEqual([5, expect.objectContaining({ running: false })]);
      expect(stackStatus(stack.home).servers.map(({ pid }) => pid)).toEqual(servers);

      const cassandra = runningServer(stack.home, 'cassandra');
      if (cassandra !== undefined) signal(cassandra, 'SIGKILL');
      await run.says(/waiting: Cassandra/);
      expect(run.isRunning()).toBe(true);

      await stack.up();
      const mended = stackStatus(stack.home);
      expect([mended.supervisor.running, ...mended.servers.map(({ running }) => running)]).toEqual([true, true, true]);
      expect(mended.servers.find(({ name }) => name === 'kafka')?.pid).toBe(servers[0]);
      const { code, stdout } = await run.ended;
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { records_stored: KEYS }]);
      await flow.verify();
    } finally {
      await flow.close();
    }
  });
});
