import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { sleep } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { SCRIPT } from '../../core/script.ts';
import { DAEMON_PATIENCE, daemonPlan, isRefusal } from '../daemons.ts';
import { DAEMON_NAMES, type DaemonName, SERVER_NAMES, stackLayout, type ServerName } from '../layout.ts';
import { isRunning, signal, type ProcessIdentity } from '../process/identity.ts';
import { holderOf } from '../process/lock.ts';
import { findByArgument } from '../process/search.ts';
import { endProcess } from './child.ts';
import { END_PATIENCE_MILLISECONDS } from './keeper.ts';
import { readPlan, readState, type SupervisorState } from './state.ts';

const PROGRAM = join(import.meta.dirname, `main${SCRIPT}`);
const START_TIMEOUT_MILLISECONDS = 15_000;
const DAEMON_TIMEOUT_MILLISECONDS = 5000;
const POLL_MILLISECONDS = 50;

/** The living supervisor of the home, if any. */
export function supervisorOf(home: Home): ProcessIdentity | undefined {
  return holderOf(stackLayout(home).supervisor.lock);
}

/**
 * Starts the home's supervisor, detached from this process and its terminal, and returns when it holds its lock.
 * Throws SERVER_START_FAILED where it does not come up.
 */
export async function startSupervisor(home: Home): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, home.path], {
    cwd: home.path,
    detached: true,
    stdio: 'ignore',
  });
  child.once('error', () => undefined);
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MILLISECONDS;
  while (supervisorOf(home) === undefined) {
    if (Date.now() > deadline || child.exitCode !== null) {
      throw new WardlineError('SERVER_START_FAILED', `the supervisor of ${home.path} did not start`, {
        hint: `see ${stackLayout(home).supervisor.log}`,
      });
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/**
 * Returns when the supervisor has taken over or started each server. Gives up when it is gone, or after longer than an old
 * server may take to end: whoever asks the servers then learns what is wrong.
 */
export async function whenServersOwned(home: Home): Promise<void> {
  const deadline = Date.now() + 2 * END_PATIENCE_MILLISECONDS;
  while (supervisorOf(home) !== undefined && Date.now() < deadline) {
    const servers = livingState(home)?.servers;
    if (servers !== undefined && SERVER_NAMES.every((server) => servers[server].process !== null)) return;
    await sleep(POLL_MILLISECONDS);
  }
}

/** What the living supervisor wrote; until it has, the state is still that of one that died, and what that owned is nobody's. */
function livingState(home: Home): SupervisorState | undefined {
  const [state, living] = [readState(stackLayout(home).supervisor.state), supervisorOf(home)];
  const isIts = state?.supervisor.pid === living?.pid && state?.supervisor.started === living?.started;
  return isIts ? state : undefined;
}

/** Returns when each daemon of the plan was started, refused to work, or took too long: its state tells which. */
export async function whenDaemonsOwned(home: Home): Promise<void> {
  const wanted = plannedDaemons(home);
  const deadline = Date.now() + DAEMON_TIMEOUT_MILLISECONDS;
  while (supervisorOf(home) !== undefined && Date.now() < deadline) {
    const daemons = livingState(home)?.daemons;
    if (wanted.every((name) => daemons?.[name]?.process != null || isRefusal(daemons?.[name]?.lastExit))) return;
    await sleep(POLL_MILLISECONDS);
  }
}

/**
 * Ends the supervisor, which ends daemons and servers gracefully; where there is none, ends what one left behind.
 * Returns whether anything ran.
 */
export async function stopSupervisor(home: Home): Promise<boolean> {
  const supervisor = supervisorOf(home);
  if (supervisor !== undefined) {
    signal(supervisor, 'SIGTERM');
    // It waits for its servers, and forces them after their patience: never shorter than they are.
    const deadline = Date.now() + 2 * DAEMON_PATIENCE + 2 * END_PATIENCE_MILLISECONDS;
    while (isRunning(supervisor) && Date.now() < deadline) await sleep(POLL_MILLISECONDS);
    if (isRunning(supervisor)) signal(supervisor, 'SIGKILL');
  }
  const daemons = DAEMON_NAMES.map((name) => runningDaemon(home, name)).filter((found) => found !== undefined);
  await Promise.all(daemons.map((daemon) => endProcess(daemon, DAEMON_PATIENCE)));
  const orphans = SERVER_NAMES.map((server) => runningServer(home, server)).filter((found) => found !== undefined);
  await Promise.all(orphans.map((orphan) => endProcess(orphan, END_PATIENCE_MILLISECONDS)));
  return supervisor !== undefined || daemons.length > 0 || orphans.length > 0;
}

/** The running process of a server of this home, whether a supervisor owns it or one left it behind. */
export function runningServer(home: Home, server: ServerName): ProcessIdentity | undefined {
  const layout = stackLayout(home);
  const recorded = readState(layout.supervisor.state)?.servers[server].process;
  return recorded != null && isRunning(recorded) ? recorded : findByArgument(`@${layout[server].options}`);
}

/** The same of a daemon. */
export function runningDaemon(home: Home, name: DaemonName): ProcessIdentity | undefined {
  const recorded = readState(stackLayout(home).supervisor.state)?.daemons[name]?.process;
  return recorded != null && isRunning(recorded) ? recorded : findByArgument(daemonPlan(home, name).foundBy);
}

/** The daemons that the stack is to run; none where no plan can be read. */
export function plannedDaemons(home: Home): readonly DaemonName[] {
  try {
    const { daemons } = readPlan(stackLayout(home).supervisor.plan);
    return DAEMON_NAMES.filter((name) => daemons[name] !== undefined);
  } catch {
    return [];
  }
}
