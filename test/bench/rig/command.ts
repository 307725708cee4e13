import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { launcherEnvironment, launcherFlags } from './launcher.ts';

const COMMAND = resolve(import.meta.dirname, '../../../cli/main.ts');
const SAMPLE_MILLISECONDS = 100;

/** A `wardline` command as a user starts it. */
export interface Command {
  readonly pid: number;
  /** Resolves when it ended with exit code 0; rejects otherwise. */
  readonly finished: Promise<{ readonly stdout: string; readonly seconds: number; readonly peakMegabytes: number }>;
  stop(): void;
}

/** Starts a command on a home, and watches how much memory it has resident. */
export function startCommand(home: string, args: readonly string[]): Command {
  const began = performance.now();
  const child = spawn(process.execPath, [...launcherFlags(), COMMAND, ...args, '--home', home, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The launcher has Node keep what it compiled, so that all but the first command start sooner.
    env: { NODE_COMPILE_CACHE: join(dirname(home), 'compiled'), ...launcherEnvironment(), ...process.env },
  });
  let [stdout, stderr, peak] = ['', '', 0];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const sampler = setInterval(() => (peak = Math.max(peak, residentMegabytes(child.pid ?? 0))), SAMPLE_MILLISECONDS);
  const finished = new Promise<{ stdout: string; seconds: number; peakMegabytes: number }>((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(sampler);
      if (code === 0) done({ stdout, seconds: (performance.now() - began) / 1000, peakMegabytes: peak });
      else reject(new Error(`wardline ${args.join(' ')} ended with ${code ?? 'a signal'}: ${stderr}`));
    });
  });
  return { pid: child.pid ?? 0, finished, stop: () => void child.kill('SIGTERM') };
}

/** Asks the system's own record where there is one: a `ps` ten times a second costs a tenth of a core. */
function residentMegabytes(pid: number): number {
  try {
    const status = `/proc/${pid}/status`;
    const kilobytes = existsSync('/proc/self/status')
      ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return Number(kilobytes ?? 0) / 1000;
  } catch {
    return 0;
  }
}
