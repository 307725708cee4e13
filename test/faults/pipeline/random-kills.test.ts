import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../core/errors/errors.ts';
import { DAEMON_NAMES } from '../../../stack/layout.ts';
import { faultStack, type FaultStack } from '../../support/faults/fault-stack.ts';
import { MEMORY_LIMIT_BYTES, type RunningWardline } from '../../support/faults/process.ts';
import { scenario, type Scenario } from '../../support/faults/scenario.ts';
import { expectCommitsAudited } from '../../support/faults/verify.ts';

const KEYS = 15_000;
const RATE = '500/s';
const KILLING_MILLISECONDS = 60_000;
const WORKERS = 2;
/** Repeat a run with the seed that it printed: WARDLINE_FAULT_SEED=n npm run test:faults. */
const SEED = Number(process.env['WARDLINE_FAULT_SEED'] ?? Date.now() % 100_000);

let stack: FaultStack;

beforeAll(async () => {
  stack = await faultStack({}, DAEMON_NAMES);
});

afterAll(() => stack.remove());

/** mulberry32: the same seed gives the same numbers from 0 up to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Players {
  source: RunningWardline;
  readonly workers: RunningWardline[];
}

/** A source that is started while a server is away says so and ends: whoever started it tries again. */
async function startSourceAgain(flow: Scenario, players: Players): Promise<void> {
  if (players.source.isRunning()) return;
  const { code, stderr } = await players.source.ended;
  if (code === 0) return;
  expect([null, EXIT.unreachable], stderr).toContain(code);
  players.source = flow.source('--rate', RATE);
}

/** What can happen, each as often as its row says. */
const FAULTS: readonly {
  name: string;
  weight: number;
  act: (flow: Scenario, players: Players, at: number) => Promise<void>;
}[] = [
  {
    name: 'kill a worker',
    weight: 5,
    async act(flow, { workers }, at) {
      await workers[at]?.kill();
      workers[at] = flow.worker();
    },
  },
  {
    name: 'kill the source',
    weight: 3,
    async act(_flow, players) {
      if (players.source.isRunning()) await players.source.kill();
    },
  },
  {
    name: 'freeze a worker',
    weight: 2,
    async act(_flow, { workers }, at) {
      workers[at]?.signal('SIGSTOP');
      await sleep(3000);
      workers[at]?.signal('SIGCONT');
    },
  },
  { name: 'kill Kafka', weight: 1, act: () => stack.killServer('kafka') },
  { name: 'kill Cassandra', weight: 1, act: () => stack.killServer('cassandra') },
];

describe(`random kills under load, seed ${SEED}`, () => {
  it('leave every record once, every commit audited, and memory bounded', async () => {
    const random = numbers(SEED);
    const bag = FAULTS.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));
    const flow = await scenario({ home: stack.home.path, folder: stack.folder }, 'random-kills', KEYS);
    try {
      const players: Players = {
        source: flow.source('--rate', RATE),
        workers: Array.from({ length: WORKERS }, () => flow.worker()),
      };
      const done: string[] = [];
      for (const end = Date.now() + KILLING_MILLISECONDS; Date.now() < end;) {
        await sleep(2000 + random() * 5000);
        const fault = bag[Math.floor(random() * bag.length)];
        await fault?.act(flow, players, Math.floor(random() * WORKERS));
        done.push(fault?.name ?? '');
        await startSourceAgain(flow, players);
        // A worker ends only by being killed.
        const ended = players.workers.filter((worker) => !worker.isRunning()).map((worker) => worker.said());
        expect(ended, done.join(', ')).toEqual([]);
      }
      while ((await players.source.ended).code !== 0) await startSourceAgain(flow, players);
      await flow.verify();
      await expectCommitsAudited(flow.observer);
      for (const worker of players.workers) {
        expect(worker.mostMemory()).toBeLessThan(MEMORY_LIMIT_BYTES);
        expect((await worker.stop()).code).toBe(0);
      }
    } finally {
      await flow.close();
    }
  });
});
