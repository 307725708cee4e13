import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { End, RunningWardline } from './process.ts';

const POLL_MILLISECONDS = 10;

/** Whether a process stands still, because it or somebody else stopped it. */
export async function isStopped(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-p', String(pid)]);
  return stdout.trim().startsWith('T');
}

/**
 * Resolves when a process that stops itself has done so, letting it go on `passed` times before. Rejects where it ends
 * instead, or after `milliseconds`.
 */
export async function untilStopped(process: RunningWardline, passed = 0, milliseconds = 60_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  for (let stops = 0; ;) {
    if (!process.isRunning() || Date.now() > deadline)
      throw new Error(`it never stopped, but said:\n${process.said()}`);
    if (await isStopped(process.pid)) {
      if (stops === passed) return;
      stops += 1;
      process.signal('SIGCONT');
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** Lets a process that stops itself go on until it has ended, however often it stops again. */
export async function letGo(process: RunningWardline): Promise<End> {
  const nudging = setInterval(() => process.signal('SIGCONT'), POLL_MILLISECONDS);
  return process.ended.finally(() => clearInterval(nudging));
}
