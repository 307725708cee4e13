import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import type { Home } from '../../core/home.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { stackStatus, type ServerName } from '../../stack/index.ts';
import { stackLayout } from '../../stack/layout.ts';
import { readState, type SupervisorState } from '../../stack/supervisor/state.ts';

const POLL_MILLISECONDS = 100;
const PATIENCE_MILLISECONDS = 60_000;
const LISTING_BYTES = 16 * 1024 * 1024;

/** The process ids of a home's stack; undefined for what does not run. */
export function pids(home: Home): Record<'supervisor' | ServerName, number | undefined> {
  const { supervisor, servers } = stackStatus(home);
  const of = (name: ServerName): number | undefined => servers.find((server) => server.name === name)?.pid;
  return { supervisor: supervisor.pid, kafka: of('kafka'), cassandra: of('cassandra') };
}

/** Kills a process of the stack as a crash would, and returns when it is gone. */
export async function killProcess(home: Home, name: 'supervisor' | ServerName): Promise<void> {
  const pid = pids(home)[name];
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  await waitFor(() => pids(home)[name] !== pid);
}

/** Waits until the condition holds; fails after a minute. */
export async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited a minute in vain');
    await sleep(POLL_MILLISECONDS);
  }
}

/** What the supervisor last wrote of itself. */
export function recordedState(home: Home): SupervisorState {
  const state = readState(stackLayout(home).supervisor.state);
  if (state === undefined) throw new Error('the supervisor wrote no state');
  return state;
}

/** How many writes Cassandra took from its commit log at its last start: none where it was drained before. */
export function lastReplay(home: Home): number {
  const log = readFileSync(stackLayout(home).cassandra.log, 'utf8');
  return Number([...log.matchAll(/Log replay complete, (\d+) replayed mutations/g)].at(-1)?.[1]);
}

/** The arguments of every process on the machine. */
export function processList(): string {
  return execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8', maxBuffer: LISTING_BYTES });
}

/** Files and folders below `path` that others than their owner may read. */
export function looseFiles(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const found = statSync(join(path, name), { throwIfNoEntry: false });
    return found !== undefined && (found.mode & 0o077) !== 0;
  });
}

const KEYSPACE = 'stack_test';

/** Writes a row by which it can be told later whether Cassandra kept its data. */
export async function writeRow(to: Connection, id: number): Promise<void> {
  const client = cassandraClient(to, 'operator');
  await client.execute(
    `CREATE KEYSPACE IF NOT EXISTS ${KEYSPACE} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`,
  );
  await client.execute(`CREATE TABLE IF NOT EXISTS ${KEYSPACE}.rows (id int PRIMARY KEY)`);
  await client.execute(`INSERT INTO ${KEYSPACE}.rows (id) VALUES (?)`, [id], { prepare: true });
  await client.shutdown();
}

/** The ids of the rows that were written so, in their order. */
export async function readRows(from: Connection): Promise<unknown[]> {
  const client = cassandraClient(from, 'operator');
  const { rows } = await client.execute(`SELECT id FROM ${KEYSPACE}.rows`);
  await client.shutdown();
  return rows.map((row): unknown => row['id']).sort();
}
