/**
 * The supervisor: a process of its own that owns the servers and daemons of one home (`node supervisor/main.ts HOME`).
 * It starts them, starts them again when they end, and ends them gracefully when it gets SIGTERM: the daemons first,
 * which need the servers for that, and the archiver after the others. One per home.
 */
import { appendFileSync, existsSync, renameSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { sleep } from '../../core/clock.ts';
import { openHome } from '../../core/home.ts';
import { DAEMON_LONGEST_DELAY, DAEMON_PATIENCE, daemonPlan, isRefusal, serversAnswer } from '../daemons.ts';
import { type DaemonName, LAST_DAEMON, SERVER_NAMES, stackLayout, type ServerName } from '../layout.ts';
import { identityOf } from '../process/identity.ts';
import { tryLock } from '../process/lock.ts';
import { plannedDaemons } from './control.ts';
import { lostServers } from '../storage/mark.ts';
import { keepProcess } from './keeper.ts';
import { readPlan, readState, writeState, type ProcessState, type SupervisorState } from './state.ts';

const LOG_BYTES = 1024 * 1024;
const ANOTHER_SUPERVISOR = 3;
const DUE_POLL_MILLISECONDS = 200;

async function supervise(homePath: string): Promise<void> {
  const home = openHome(homePath);
  const layout = stackLayout(home).supervisor;
  const lock = tryLock(layout.lock);
  if (lock === undefined) {
    process.exitCode = ANOTHER_SUPERVISOR;
    return;
  }
  const log = logTo(layout.log);
  const previous = readState(layout.state);
  const servers: Record<ServerName, ProcessState> = {
    // Nobody's until they are taken over or started: whoever waits for the servers must not take an old one that is being ended.
    kafka: { ...(previous?.servers.kafka ?? emptyState()), process: null },
    cassandra: { ...(previous?.servers.cassandra ?? emptyState()), process: null },
  };
  const daemons: Partial<Record<DaemonName, ProcessState>> = {};
  const self = identityOf(process.pid) ?? { pid: process.pid, started: 'unknown' };
  const since = Date.now();
  const record = (): void => {
    const state: SupervisorState = { supervisor: self, since, servers, daemons };
    // A full disk must not end the supervisor: servers that nobody recorded are found by their arguments.
    attempt(() => writeState(layout.state, state), log);
  };
  record();
  log(`supervisor ${process.pid} started`);

  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  // The terminal that started the servers may close; they stay.
  process.on('SIGHUP', () => undefined);

  const stopServers = new AbortController();
  const keptServers = Promise.all(
    SERVER_NAMES.map((name) =>
      keepProcess(name, previous?.servers[name], {
        plan: () => readPlan(layout.plan).servers[name],
        environment: process.env,
        changed: (state) => {
          servers[name] = state;
          record();
        },
        log,
        stop: stopServers.signal,
        // On empty folders Cassandra would start with a password that everybody knows: that is for `up` to mend.
        whenDue: async () => {
          while (!stopServers.signal.aborted && lostServers(home).includes(name))
            await sleep(DUE_POLL_MILLISECONDS, stopServers.signal);
        },
      }),
    ),
  );
  const keepDaemon = (name: DaemonName, stopDaemon: AbortSignal): Promise<void> =>
    keepProcess(name, previous?.daemons[name], {
      plan: () => daemonPlan(home, name),
      environment: process.env,
      changed: (state) => {
        daemons[name] = state;
        record();
      },
      log,
      stop: stopDaemon,
      patience: DAEMON_PATIENCE,
      longestDelay: DAEMON_LONGEST_DELAY,
      isRefusal,
      whenDue: async () => {
        while (!stopDaemon.aborted && !(await serversAnswer(home))) await sleep(DUE_POLL_MILLISECONDS, stopDaemon);
      },
    });
  const stopLast = new AbortController();
  const [last, others] = [plannedDaemons(home).filter(isLast), plannedDaemons(home).filter((name) => !isLast(name))];
  const keptLast = last.map((name) => keepDaemon(name, stopLast.signal));
  await Promise.all(others.map((name) => keepDaemon(name, stop.signal)));
  await (stop.signal.aborted ? Promise.resolve() : once(stop.signal, 'abort'));
  stopLast.abort();
  await Promise.all(keptLast);
  stopServers.abort();
  await keptServers;
  log(`supervisor ${process.pid} ended`);
  lock.release();
}

function isLast(name: DaemonName): boolean {
  return name === LAST_DAEMON;
}

function emptyState(): ProcessState {
  return { process: null, since: 0, digest: '', restarts: 0, lastExit: null };
}

/** Appends lines with their time; keeps the log before this one, so that it never takes more than twice its size. */
function logTo(file: string): (line: string) => void {
  return (line) => {
    attempt(
      () => {
        if (existsSync(file) && statSync(file).size > LOG_BYTES) renameSync(file, `${file}.1`);
        appendFileSync(file, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
      },
      () => undefined,
    );
  };
}

function attempt(work: () => void, onFailure: (line: string) => void): void {
  try {
    work();
  } catch (error) {
    onFailure(`could not write: ${String(error)}`);
  }
}

process.title = 'wardline-supervisor';
process.umask(0o077);
await supervise(process.argv[2] ?? '');
