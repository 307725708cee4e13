import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** A process told apart from every other that ever had its id: a reused pid has another start. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

const PROC = '/proc';
/** Fields of /proc/PID/stat after the command, which may itself hold spaces: state is the first, start time the 20th. */
const STAT_STATE = 0;
const STAT_START = 19;

/**
 * The identity of a running process, or undefined where there is none (a zombie counts as none).
 * Linux: the start in clock ticks of this boot, from /proc. Elsewhere: what `ps` gives, to the second.
 */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = existsSync(`${PROC}/self/stat`) ? startFromProc(pid) : startFromPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether the very process of that identity still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.started === identity.started;
}

/**
 * Sends a signal to the very process of that identity; does nothing where it is gone.
 * Returns whether it was there.
 */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, name);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`${PROC}/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[STAT_STATE] === 'X' || (fields[STAT_STATE] === 'Z' && threadsOf(pid) <= 1)) return undefined;
    const boot = readFileSync(`${PROC}/sys/kernel/random/boot_id`, 'utf8').trim();
    return `${boot}/${fields[STAT_START] ?? ''}`;
  } catch {
    return undefined;
  }
}

/** A process whose first thread is a zombie still holds its ports and files while its other threads come to an end. */
function threadsOf(pid: number): number {
  return readdirSync(`${PROC}/${pid}/task`).length;
}

function startFromPs(pid: number): string | undefined {
  try {
    const output = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [status, ...start] = output.split(/\s+/);
    return status === undefined || status.startsWith('Z') || start.length === 0 ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
