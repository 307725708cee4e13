import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerName } from '../../../stack/index.ts';
import { DAEMON_NAMES } from '../../../stack/layout.ts';
import { faultStack, FINE_WINDOWS, type FaultStack } from '../../support/faults/fault-stack.ts';
import { MEMORY_LIMIT_BYTES } from '../../support/faults/process.ts';
import { scenario } from '../../support/faults/scenario.ts';

const KEYS = 4_000;
const RATE = '1500/s';
/** Longer than any request may take, shorter than anybody's patience. */
const HANG_MILLISECONDS = 40_000;
const OUTAGE_MILLISECONDS = 15_000;
const SERVERS: readonly ServerName[] = ['kafka', 'cassandra'];

let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack(FINE_WINDOWS, DAEMON_NAMES);
});

afterAll(() => stack.remove());

const kill = (server: ServerName) => stack.killServer(server);
const hang = async (server: ServerName): Promise<void> => {
  stack.signalServer(server, 'SIGSTOP');
  await sleep(HANG_MILLISECONDS);
  stack.signalServer(server, 'SIGCONT');
};
const outage = async (): Promise<void> => {
  await stack.down();
  await sleep(OUTAGE_MILLISECONDS);
  await stack.up();
};

describe.each([
  ...SERVERS.flatMap((server) => [
    { name: `${server}-killed`, fault: () => kill(server), says: server === 'kafka' ? /Kafka/ : /Cassandra/ },
    { name: `${server}-hanging`, fault: () => hang(server), says: server === 'kafka' ? /Kafka/ : /Cassandra/ },
  ]),
  { name: 'all-stopped', fault: outage, says: /Kafka|Cassandra/ },
])('$name', ({ name, fault, says }) => {
  it('is waited out: every record once, memory bounded, the reason said', async () => {
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, name, KEYS);
    try {
      const run = flow.run('--rate', RATE);
      while ((await flow.observer.committed()).size === 0 && run.isRunning()) await sleep(50);
      await sleep(1000);
      await fault();
      const { code, stdout, stderr } = await run.ended;
      expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({ records_read: 2 * KEYS, records_stored: KEYS, dead_letters: 0 });
      expect(run.mostMemory()).toBeLessThan(MEMORY_LIMIT_BYTES);
      expect(stderr).toMatch(says);
      await flow.verify();
    } finally {
      await flow.close();
    }
  });
});
