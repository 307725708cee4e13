import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { STOPS_AT, type Step } from './stops-itself.ts';

const STOPS_ITSELF = pathToFileURL(join(import.meta.dirname, 'stops-itself.ts')).href;
const COMMAND = join(import.meta.dirname, '../../../wardline');
const POLL_MILLISECONDS = 20;
const SAMPLE_MILLISECONDS = 250;
const BYTES_IN_KIBIBYTE = 1024;

/**
 * What no process may exceed, whatever waits: `run`, the largest, is a source with two seal threads and a worker. Far
 * below what piles up where nothing bounds it; how little a worker needs is for the bench to tell.
 */
export const MEMORY_LIMIT_BYTES = 640 * 1024 ** 2;

/** How a long-running command ended. */
export interface End {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `wardline` command at work, as a process of its own. */
export interface RunningWardline {
  readonly pid: number;
  /** What it said so far on standard error. */
  said(): string;
  /** Resolves when standard error matches; rejects when the process ends before, or after `milliseconds`. */
  says(pattern: RegExp, milliseconds?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Ends it with SIGKILL and resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to end with SIGTERM and resolves with how it did. */
  stop(): Promise<End>;
  readonly ended: Promise<End>;
  isRunning(): boolean;
  /** The largest resident memory seen, in bytes. */
  mostMemory(): number;
}

/**
 * Starts a command on a home; with `stopsAt` it stops itself at each such step. The shell script replaces itself by Node,
 * so that a signal reaches Node itself.
 */
export function startWardline(
  home: string,
  args: readonly string[],
  stopsAt?: Step,
  environment: Readonly<Record<string, string>> = {},
): RunningWardline {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(WARDLINE_|VITEST|NODE_)/.test(name));
  const stops = stopsAt === undefined ? {} : { NODE_OPTIONS: `--import=${STOPS_ITSELF}`, [STOPS_AT]: stopsAt };
  const child = spawn(COMMAND, [...args, '--home', home, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), ...stops, ...environment },
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`wardline ${args[0] ?? ''} did not start`);
  let stdout = '';
  let stderr = '';
  let most = 0;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const sampling = setInterval(() => (most = Math.max(most, residentBytes(pid))), SAMPLE_MILLISECONDS);
  const ended = once(child, 'close').then(([code]): End => {
    clearInterval(sampling);
    return { code: code as number | null, stdout, stderr };
  });
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    said: () => stderr,
    async says(pattern, milliseconds = 30_000) {
      const deadline = Date.now() + milliseconds;
      while (!pattern.test(stderr)) {
        if (!isRunning() || Date.now() > deadline)
          throw new Error(`wardline ${args[0] ?? ''} never said ${String(pattern)}, but:\n${stderr}${stdout}`);
        await sleep(POLL_MILLISECONDS);
      }
    },
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    ended,
    isRunning,
    mostMemory: () => most,
  };
}

function residentBytes(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) * BYTES_IN_KIBIBYTE;
  } catch {
    // Gone, or a system without /proc: then there is nothing to sample.
    return 0;
  }
}
