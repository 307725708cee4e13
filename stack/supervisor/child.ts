import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { sleep } from '../../core/clock.ts';
import { identityOf, isRunning, signal, type ProcessIdentity } from '../process/identity.ts';
import { findByArgument } from '../process/search.ts';
import type { ServerPlan } from './state.ts';

/** A running server, whether this process started it or found it. */
export interface Child {
  readonly identity: ProcessIdentity;
  /** Resolves when it has ended, with what is known about how. */
  readonly exited: Promise<string>;
}

const POLL_MILLISECONDS = 250;
/** What a server may see of the supervisor's environment. */
const ENVIRONMENT = ['PATH', 'HOME', 'LANG', 'TZ'];

/**
 * Starts a server in a process group of its own with its output going to a file, so that it outlives the supervisor's death.
 * Throws where the program cannot be started.
 */
export async function startChild(plan: ServerPlan, environment: NodeJS.ProcessEnv): Promise<Child> {
  const output = openSync(plan.console, 'a', 0o600);
  try {
    const child = spawn(plan.java, [optionsArgument(plan)], {
      cwd: plan.folder,
      detached: true,
      stdio: ['ignore', output, output],
      env: Object.fromEntries(ENVIRONMENT.map((name) => [name, environment[name]])),
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

/** The running server that was started with this plan's options, whoever started it. */
export function findChild(plan: ServerPlan): ProcessIdentity | undefined {
  return findByArgument(optionsArgument(plan));
}

function optionsArgument(plan: ServerPlan): string {
  return `@${plan.options}`;
}

/** Takes charge of a server that an earlier supervisor started: not our child, so its end is noticed by asking. */
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
