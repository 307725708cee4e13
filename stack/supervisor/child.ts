import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { sleep } from '../../core/clock.ts';
import { identityOf, isRunning, signal, type ProcessIdentity } from '../process/identity.ts';
import { findByArgument } from '../process/search.ts';
import type { ProcessPlan } from './state.ts';

/** A running process of the stack, whether this process started it or found it. */
export interface Child {
  readonly identity: ProcessIdentity;
  /** Resolves when it has ended, with what is known about how. */
  readonly exited: Promise<string>;
}

const POLL_MILLISECONDS = 250;
/** What a process may see of the supervisor's environment; the last three are Node's, the C library's and Java's. */
const ENVIRONMENT = [
  'PATH',
  'HOME',
  'LANG',
  'TZ',
  'NODE_COMPILE_CACHE',
  'MALLOC_ARENA_MAX',
  'MALLOC_MMAP_THRESHOLD_',
  'JDK_JAVA_OPTIONS',
];

/** From this size on a console file makes way at the next start; the one before it is kept. */
const CONSOLE_BYTES = 1024 * 1024;

/**
 * Starts a process in a process group of its own with its output going to a file, so that it outlives the supervisor's death.
 * Throws where the program cannot be started.
 */
export async function startChild(plan: ProcessPlan, environment: NodeJS.ProcessEnv): Promise<Child> {
  makeWay(plan.console);
  const output = openSync(plan.console, 'a', 0o600);
  try {
    const child = spawn(plan.program, plan.arguments, {
      cwd: plan.folder,
      detached: true,
      stdio: ['ignore', output, output],
      env: Object.fromEntries(
        [...ENVIRONMENT, ...(plan.passes ?? [])].map((name) => [name, environment[name]] as const),
      ),
    });
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, name) => resolve(name === null ? `exit code ${code ?? 'unknown'}` : `signal ${name}`));
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const pid = child.pid ?? 0;
    return { identity: identityOf(pid) ?? { pid, started: 'gone' }, exited };
  } finally {
    closeSync(output);
  }
}

/** Renames a console file that has grown large to `.1`: no home fills up with what its processes say at each start. */
function makeWay(console: string): void {
  const size = statSync(console, { throwIfNoEntry: false })?.size ?? 0;
  if (size > CONSOLE_BYTES) renameSync(console, `${console}.1`);
}

/** The running process that was started by this plan, whoever started it. */
export function findChild(plan: ProcessPlan): ProcessIdentity | undefined {
  return findByArgument(plan.foundBy);
}

/** Takes charge of a process that an earlier supervisor started: not our child, so its end is noticed by asking. */
export function adoptChild(identity: ProcessIdentity): Child {
  const watch = async (): Promise<string> => {
    while (isRunning(identity)) await sleep(POLL_MILLISECONDS);
    return 'an end that nobody saw';
  };
  return { identity, exited: watch() };
}

/** Asks the process to end, and ends it by force after `patienceMilliseconds`. Returns when it is gone. */
export async function endProcess(identity: ProcessIdentity, patienceMilliseconds: number): Promise<void> {
  if (!signal(identity, 'SIGTERM')) return;
  const deadline = Date.now() + patienceMilliseconds;
  while (isRunning(identity)) {
    if (Date.now() > deadline) signal(identity, 'SIGKILL');
    await sleep(POLL_MILLISECONDS / 5);
  }
}
