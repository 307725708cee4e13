import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sleep } from '../../core/clock.ts';
import { isRunning, signal } from '../process/identity.ts';
import { startChild } from './child.ts';
import { keepProcess, restartDelay } from './keeper.ts';
import type { ProcessPlan, ProcessState } from './state.ts';

let folder: string;
let plan: ProcessPlan;
let stop: AbortController;
let states: ProcessState[];
let keeping: Promise<void> | undefined;

/** In a server's place: says so on its output, and ends gracefully when told to. */
const SERVER = `#!/bin/sh
trap 'echo ended gracefully; exit 143' TERM
echo started
while :; do sleep 0.05; done
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-keeper-'));
  const java = join(folder, 'java');
  writeFileSync(java, SERVER);
  chmodSync(java, 0o755);
  const options = `@${join(folder, 'java.options')}`;
  const console = join(folder, 'console.log');
  plan = { program: java, arguments: [options], foundBy: options, folder, console, digest: 'one' };
  stop = new AbortController();
  states = [];
  keeping = undefined;
});

afterEach(async () => {
  stop.abort();
  await keeping;
  rmSync(folder, { recursive: true, force: true });
});

function keep(previous?: ProcessState): void {
  keeping = keepProcess('kafka', previous, {
    plan: () => plan,
    environment: process.env,
    changed: (state) => void states.push(state),
    log: () => undefined,
    stop: stop.signal,
  });
}

async function running(not?: number): Promise<ProcessState> {
  for (;;) {
    const state = states.at(-1);
    if (state?.process != null && state.process.pid !== not && isRunning(state.process)) return state;
    await sleep(20);
  }
}

function console(): string {
  return readFileSync(plan.console, 'utf8');
}

async function said(text: string): Promise<void> {
  while (!console().includes(text)) await sleep(20);
}

it('starts a server, and ends it gracefully when told to stop', async () => {
  keep();
  const { process: child } = await running();
  await said('started');
  stop.abort();
  await keeping;
  expect(console()).toContain('ended gracefully');
  expect(child !== null && isRunning(child)).toBe(false);
  expect(states.at(-1)?.process).toBeNull();
});

it('starts it again when it dies, and counts', async () => {
  keep();
  const first = await running();
  if (first.process !== null) signal(first.process, 'SIGKILL');
  const second = await running(first.process?.pid);
  expect(second).toMatchObject({ restarts: 1, lastExit: 'signal SIGKILL' });
});

it('takes over a server that an earlier supervisor left, and watches it', async () => {
  const orphan = await startChild(plan, process.env);
  await said('started');
  keep({ process: orphan.identity, since: 1, digest: plan.digest, restarts: 0, lastExit: null });
  expect((await running()).process).toEqual(orphan.identity);
  expect(states.at(-1)?.since).toBe(1);
  signal(orphan.identity, 'SIGKILL');
  expect((await running(orphan.identity.pid)).restarts).toBe(1);
});

it('ends and replaces a server that was left with another configuration', async () => {
  const orphan = await startChild(plan, process.env);
  await said('started');
  keep({ process: orphan.identity, since: 1, digest: 'an older one', restarts: 0, lastExit: null });
  expect((await running()).process?.pid).not.toBe(orphan.identity.pid);
  expect(isRunning(orphan.identity)).toBe(false);
  expect(console()).toContain('ended gracefully');
});

it('finds and replaces a server that nobody recorded', async () => {
  const orphan = await startChild(plan, process.env);
  await said('started');
  keep();
  expect((await running()).process?.pid).not.toBe(orphan.identity.pid);
  expect(isRunning(orphan.identity)).toBe(false);
});

it('begins a new console file where the old one has grown large, and keeps one old one', async () => {
  const large = 'x'.repeat(1024 * 1024 + 1);
  writeFileSync(plan.console, large);
  writeFileSync(`${plan.console}.1`, 'an older one');
  keep();
  const first = await running();
  await said('started');
  expect(console()).not.toContain('x');
  expect(readFileSync(`${plan.console}.1`, 'utf8')).toBe(large);
  if (first.process !== null) signal(first.process, 'SIGKILL');
  await running(first.process?.pid);
  while (console().split('started').length < 3) await sleep(20);
  expect(readFileSync(`${plan.console}.1`, 'utf8')).toBe(large);
});

it('tries again where the program cannot be started', async () => {
  chmodSync(plan.program, 0o644);
  keep();
  while (states.length === 0) await sleep(20);
  expect(states[0]).toMatchObject({ process: null, lastExit: expect.stringMatching(/^no start: .*EACCES/) as string });
  chmodSync(plan.program, 0o755);
  expect((await running()).restarts).toBeGreaterThan(0);
});

it('does not hurry to start again what refuses to work, nor starts before it is due', async () => {
  writeFileSync(plan.program, '#!/bin/sh\nexit 4\n');
  const due = new AbortController();
  keeping = keepProcess('notary', undefined, {
    plan: () => plan,
    environment: process.env,
    changed: (state) => void states.push(state),
    log: () => undefined,
    stop: stop.signal,
    whenDue: async () => {
      while (!due.signal.aborted) await sleep(20);
    },
    isRefusal: (end) => end === 'exit code 4',
  });
  await sleep(200);
  expect(states).toEqual([]);
  due.abort();
  while (states.at(-1)?.lastExit !== 'exit code 4') await sleep(20);
  await sleep(1500);
  expect(states.at(-1)).toMatchObject({ process: null, restarts: 1 });
});

it('waits longer after each quick end, up to half a minute', () => {
  expect([0, 1, 2, 3, 4, 20].map((ends) => restartDelay(ends))).toEqual([0, 0, 500, 1000, 2000, 30_000]);
  expect([1, 4, 5, 20].map((ends) => restartDelay(ends, 3000))).toEqual([0, 2000, 3000, 3000]);
});
