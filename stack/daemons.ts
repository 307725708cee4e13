import { connect } from 'node:net';
import { join } from 'node:path';
import { existsSync, openSync, closeSync, fstatSync, readSync } from 'node:fs';
import type { Home } from '../core/home.ts';
import { SCRIPT } from '../core/script.ts';
import { stackLayout, type DaemonName } from './layout.ts';
import { LOOPBACK, readPorts } from './ports.ts';
import type { ProcessPlan } from './supervisor/state.ts';

/** How long a daemon may take to end by itself, in milliseconds: what it has not done then, the next one does. */
export const DAEMON_PATIENCE = 10_000;

/**
 * The longest delay before a daemon is started again, in milliseconds, unless it refuses: short, because starting one
 * costs little, and whoever takes over from a killed one must be there within 10 s.
 */
export const DAEMON_LONGEST_DELAY = 2000;

const COMMAND = join(import.meta.dirname, `../cli/main${SCRIPT}`);
/** As the `wardline` command has them. */
const NODE_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=1024'] as const;
/**
 * Where the AWS SDK looks for credentials of a backup store, as `up` was given them. No server gets them, and they are in
 * no file of a home.
 */
const STORE_CREDENTIALS = [
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  ...['AWS_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'],
  ...['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
];
/** How the exit code says that waiting will not mend it: verification failed, refused. */
const REFUSALS: readonly string[] = ['exit code 3', 'exit code 4'];
const TAIL_BYTES = 16 * 1024;

/** Starts the command as `wardline` does, with JSON lines on standard error, which go to its log. */
export function daemonPlan(home: Home, name: DaemonName): ProcessPlan {
  const identifying = ['--home', home.path, '--json', name];
  return {
    ...ownCommand(home, [name]),
    foundBy: identifying.join(' '),
    folder: home.path,
    console: stackLayout(home).daemons[name],
    passes: STORE_CREDENTIALS,
    digest: NODE_FLAGS.join(' '),
  };
}

/** The command of the product on a home as a process is started with it; its results and errors are JSON. */
export function ownCommand(
  home: Pick<Home, 'path'>,
  words: readonly string[],
): Pick<ProcessPlan, 'program' | 'arguments'> {
  return { program: process.execPath, arguments: [...NODE_FLAGS, COMMAND, '--home', home.path, '--json', ...words] };
}

/** Whether an end says that the daemon refuses to work as things stand. */
export function isRefusal(end: string | null | undefined): boolean {
  return end != null && REFUSALS.includes(end);
}

/** The last error that a daemon said, or undefined where it said none. */
export function lastErrorOf(home: Home, name: DaemonName): string | undefined {
  const errors = tailOf(stackLayout(home).daemons[name])
    .split('\n')
    .flatMap((line) => {
      const [, message] = /^\{"error":\{"code":"\w+","message":("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
      return message === undefined ? [] : [String(JSON.parse(message))];
    });
  return errors.at(-1);
}

/** Whether the servers were set up and take connections: before that, a daemon could only wait. */
export async function serversAnswer(home: Home): Promise<boolean> {
  const layout = stackLayout(home);
  const ports = readPorts(layout.ports);
  if (ports === undefined || !existsSync(layout.supervisor.bootstrapped) || !existsSync(home.paths.connection))
    return false;
  const open = await Promise.all([ports.kafkaClient, ports.cassandraClient].map(takesConnections));
  return open.every(Boolean);
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

function tailOf(file: string): string {
  if (!existsSync(file)) return '';
  const open = openSync(file, 'r');
  try {
    const { size } = fstatSync(open);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(open, tail, 0, tail.length, size - tail.length);
    return tail.toString('utf8');
  } finally {
    closeSync(open);
  }
}
