import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Home } from '../../core/home.ts';
import { isRefusal, lastErrorOf } from '../daemons.ts';
import { DAEMON_NAMES, type DaemonName, SERVER_NAMES, stackLayout, type ServerName } from '../layout.ts';
import { readPorts } from '../ports.ts';
import { plannedDaemons, runningDaemon, runningServer, supervisorOf } from '../supervisor/control.ts';
import { readState } from '../supervisor/state.ts';

interface ProcessStatus {
  readonly running: boolean;
  /** Undefined where it does not run. */
  readonly pid: number | undefined;
  /** When it was started, RFC 3339; undefined where it does not run or nobody recorded it. */
  readonly since: string | undefined;
  /** Resident memory in bytes. */
  readonly memoryBytes: number | undefined;
}

export interface ServerStatus extends ProcessStatus {
  readonly name: ServerName;
  /** Where clients connect; undefined before the first start. */
  readonly port: number | undefined;
  /** How often it ended since the supervisor started, by itself or to be restarted. */
  readonly restarts: number;
}

export interface DaemonStatus extends ProcessStatus {
  readonly name: DaemonName;
  readonly restarts: number;
  /** Why it refuses to work, where it does: what it said last. */
  readonly refusal: string | undefined;
}

export interface StackStatus {
  readonly supervisor: ProcessStatus;
  readonly servers: readonly ServerStatus[];
  /** Those that the stack was started with. */
  readonly daemons: readonly DaemonStatus[];
}

const BYTES_IN_KIBIBYTE = 1024;

/** What runs of a home's stack right now: asked of the operating system, not believed from a file. */
export function stackStatus(home: Home): StackStatus {
  const layout = stackLayout(home);
  const state = readState(layout.supervisor.state);
  const ports = readPorts(layout.ports);
  const clientPorts = { kafka: ports?.kafkaClient, cassandra: ports?.cassandraClient };
  const supervisor = supervisorOf(home);
  return {
    supervisor: processStatus(supervisor?.pid, state?.supervisor.pid, state?.since),
    servers: SERVER_NAMES.map((name) => {
      const recorded = state?.servers[name];
      const status = processStatus(runningServer(home, name)?.pid, recorded?.process?.pid, recorded?.since);
      return { name, ...status, port: clientPorts[name], restarts: recorded?.restarts ?? 0 };
    }),
    daemons: DAEMON_NAMES.filter((name) => plannedDaemons(home).includes(name)).map((name) => {
      const recorded = state?.daemons[name];
      const status = processStatus(runningDaemon(home, name)?.pid, recorded?.process?.pid, recorded?.since);
      const refuses = supervisor !== undefined && !status.running && isRefusal(recorded?.lastExit);
      const refusal = refuses ? (lastErrorOf(home, name) ?? 'see its log') : undefined;
      return { name, ...status, restarts: recorded?.restarts ?? 0, refusal };
    }),
  };
}

function processStatus(
  pid: number | undefined,
  recordedPid: number | undefined,
  recordedSince: number | undefined,
): ProcessStatus {
  if (pid === undefined) return { running: false, pid: undefined, since: undefined, memoryBytes: undefined };
  const since = pid === recordedPid && recordedSince !== undefined ? new Date(recordedSince).toISOString() : undefined;
  return { running: true, pid, since, memoryBytes: residentBytes(pid) };
}

function residentBytes(pid: number): number | undefined {
  try {
    const status = `/proc/${pid}/status`;
    const kibibytes = Number(
      existsSync(status)
        ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]
        : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim(),
    );
    return Number.isFinite(kibibytes) ? kibibytes * BYTES_IN_KIBIBYTE : undefined;
  } catch {
    // It ended between being found and being asked about.
    return undefined;
  }
}
