import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WardlineError } from '../core/errors/errors.ts';
import type { Home } from '../core/home.ts';
import { ARCHIVER, STACK_JMX_USER } from './configure-cassandra.ts';
import { classArchive } from './provide/class-archive.ts';
import { provideJars } from './provide/jars.ts';
import { stackLayout } from './layout.ts';
import { LOOPBACK, readPorts } from './ports.ts';
import { requireJava } from './provide/prerequisites.ts';
import { nodetoolJvmOptions } from './render/java-options.ts';

const TIMEOUT_MILLISECONDS = 120_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;

/** Whom nodetool logs in as: the stack itself, or the archiver for its snapshots. */
export type NodetoolUser = 'stack' | 'archiver';

/** Whether the home has a Cassandra of its own, running or not. */
export function hasCassandra(home: Home): boolean {
  return readPorts(stackLayout(home).ports) !== undefined;
}

/**
 * Runs one nodetool command on the home's Cassandra over its authenticated JMX, and returns what it printed.
 * The password is read by nodetool from a 0600 file; it is in no argument.
 * It is given up after `timeout` milliseconds, two minutes unless told otherwise. Throws NOT_RUNNING where the home has no
 * Cassandra yet, CASSANDRA_UNREACHABLE where it does not answer or breaks off, CASSANDRA_REFUSED with nodetool's words
 * where it fails.
 */
export function nodetool(
  home: Home,
  command: readonly string[],
  as: NodetoolUser = 'stack',
  timeout = TIMEOUT_MILLISECONDS,
): Promise<string> {
  const { cassandra } = stackLayout(home);
  const login = [
    ...['-u', as === 'archiver' ? ARCHIVER : STACK_JMX_USER],
    ...['-pwf', as === 'archiver' ? cassandra.archiverLogin : cassandra.nodetoolLogin],
  ];
  return nodetoolWith(home, login, command, timeout);
}

/** The same with nodetool's own options for a login, or with none. */
export async function nodetoolWith(
  home: Home,
  login: readonly string[],
  command: readonly string[],
  timeout = TIMEOUT_MILLISECONDS,
): Promise<string> {
  const { cassandra, ports: portsFile } = stackLayout(home);
  const ports = readPorts(portsFile);
  if (ports === undefined) {
    throw new WardlineError('NOT_RUNNING', `${home.path} has no Cassandra`, {
      hint: `start it with: wardline up --home ${home.path}`,
    });
  }
  const [java, jars] = await Promise.all([requireJava(process.env), provideJars(process.env, () => undefined)]);
  const address = ['-h', LOOPBACK, '-p', String(ports.cassandraJmx)];
  const archive = classArchive(join(jars.cassandra, '..', 'nodetool.jsa'));
  const options = [
    ...archive.options,
    ...nodetoolJvmOptions(jars.cassandra, cassandra.temporary, cassandra.nodetoolLogging),
  ];
  try {
    const { stdout } = await promisify(execFile)(java, [...options, ...address, ...login, ...command], {
      timeout,
      maxBuffer: OUTPUT_BYTES,
      cwd: cassandra.folder,
    });
    return stdout;
  } catch (error) {
    throw nodetoolError(error, { command: command[0] ?? '', log: cassandra.log, timeout });
  } finally {
    archive.keep();
  }
}

/** How the JVM and nodetool put it that nobody listens, that Cassandra ended in the middle, or has only begun to start. */
const AWAY =
  /Failed to connect|unmarshal|Connection (refused|reset)|(Connect|EOF|ServerNotActive)\w*Exception|JMX connection closed|not initialized yet/i;

/** What a call of nodetool failed with. */
export function nodetoolError(
  error: unknown,
  { command, log, timeout }: { readonly command: string; readonly log: string; readonly timeout: number },
): WardlineError {
  const timedOut = error instanceof Error && 'killed' in error && error.killed === true;
  const words = timedOut ? `no answer within ${timeout / 1000} s` : wordsOf(error);
  return new WardlineError(
    timedOut || AWAY.test(words) ? 'CASSANDRA_UNREACHABLE' : 'CASSANDRA_REFUSED',
    `nodetool ${command} failed: ${words}`,
    { hint: `see ${log}`, cause: error },
  );
}

/** What `java` says of options that it found in the environment. */
const PICKED_UP = /^(NOTE: )?Picked up J/;

function wordsOf(error: unknown): string {
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return (
    output.split('\n').find((line) => line !== '' && !PICKED_UP.test(line)) ??
    (error instanceof Error ? error.message : String(error))
  );
}
