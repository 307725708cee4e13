import { readdirSync, rmSync, rmdirSync } from 'node:fs';
import type { Home } from '../../core/home.ts';
import { stackLayout } from '../layout.ts';
import { waitForLock } from '../process/lock.ts';
import { presentJars } from '../provide/jars.ts';
import { requireJava } from '../provide/prerequisites.ts';
import { archivesToKeep, keepServerArchives } from '../provide/server-archive.ts';
import { stopSupervisor } from '../supervisor/control.ts';

/** What `--wipe` leaves: what the user wrote. */
const KEPT = ['configuration', 'contracts'] as const satisfies readonly (keyof Home['paths'])[];

interface StopOptions {
  readonly wipe: boolean;
  readonly report?: (line: string) => void;
}

/**
 * Ends the servers of a home gracefully: Cassandra flushes what it holds in memory, Kafka closes its logs.
 * With `wipe` everything that Wardline made in the home is removed then: data, certificates, keys, logs.
 * Returns whether anything ran. Does nothing where nothing runs.
 */
export async function stopStack(home: Home, { wipe: wipes, report }: StopOptions): Promise<boolean> {
  const lock = await waitForLock(stackLayout(home).supervisor.upLock, () => undefined);
  let ran: boolean;
  try {
    ran = await stopSupervisor(home);
    if (ran) await keepWhatStartsTaught(home, report);
  } finally {
    lock.release();
  }
  if (wipes) wipe(home);
  return ran;
}

/** The first stop on a machine makes the next starts faster. */
async function keepWhatStartsTaught(home: Home, report: StopOptions['report']): Promise<void> {
  const jars = presentJars(process.env);
  const servers = jars === undefined ? [] : archivesToKeep(home, jars);
  if (jars === undefined || servers.length === 0) return;
  report?.('keeping what the start of the servers loaded, for the next ones (once)');
  await keepServerArchives(home, servers, { java: await requireJava(process.env), jars });
}

function wipe(home: Home): void {
  const kept = new Set<string>(KEPT.map((name) => home.paths[name]));
  // The marker goes last: a wipe that was cut short can be repeated.
  const paths = Object.values(home.paths).filter((path) => !kept.has(path) && path !== home.paths.marker);
  for (const path of [...paths, home.paths.marker]) rmSync(path, { recursive: true, force: true });
  if (readdirSync(home.path).length === 0) rmdirSync(home.path);
}
