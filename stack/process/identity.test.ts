import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { identityOf, isRunning, signal } from './identity.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function sleeper(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
}

it('is the same each time it is asked for', async () => {
  const pid = await sleeper();
  expect(identityOf(pid)).toEqual(identityOf(pid));
});

it('tells a running process from one that had the same pid before', async () => {
  const pid = await sleeper();
  const identity = identityOf(pid);
  expect(identity).toBeDefined();
  expect(isRunning(identity ?? { pid, started: '' })).toBe(true);
  expect(isRunning({ pid, started: 'another start' })).toBe(false);
});

it('signals the very process only', async () => {
  const pid = await sleeper();
  const identity = identityOf(pid) ?? { pid, started: '' };
  expect(signal({ pid, started: 'another start' }, 'SIGKILL')).toBe(false);
  expect(isRunning(identity)).toBe(true);
  const exited = once(children[0] ?? process, 'exit');
  expect(signal(identity, 'SIGKILL')).toBe(true);
  await exited;
  expect(isRunning(identity)).toBe(false);
  expect(signal(identity, 'SIGKILL')).toBe(false);
});

it('finds nothing under a pid that nobody has', () => {
  expect(identityOf(2 ** 22 + 1)).toBeUndefined();
});
