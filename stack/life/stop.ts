import { readdirSync, rmSync, rmdirSync } from 'node:fs';
import type { Home } from '../../core/home.ts';
import { stackLayout } from '../layout.ts';
import { waitForLock } from '../process/lock.ts';
import { stopSupervisor } from '../supervisor/control.ts';

/** What `--wipe` leaves: what the user wrote. */
const KEPT = ['configuration', 'contracts'] as const satisfies readonly (keyof Home['paths'])[];

/**
 * Ends the servers of a home gracefully: Cassandra flushes what it holds in memory, Kafka closes its logs.
 * With `wipe` everything that Wardline made in the home is removed then: data, certificates, keys, logs.
 * Returns whether anything ran. Does nothing where nothing runs.
 */
export async function stopStack(home: Home, options: { readonly wipe: boolean }): Promise<boolean> {
  const lock = await waitForLock(stackLayout(home).supervisor.upLock, () => undefined);
  let ran: boolean;
  try {
    ran = await stopSupervisor(home);
  } finally {
    lock.release();
  }
  if (options.wipe) wipe(home);
  return ran;
}

function wipe(home: Home): void {
  const kept = new Set<string>(KEPT.map((name) => home.paths[name]));
  // The marker goes last: a wipe that was cut short can be repeated.
  const paths = Object.values(home.paths).filter((path) => !kept.has(path) && path !== home.paths.marker);
  for (const path of [...paths, home.paths.marker]) rmSync(path, { recursive: true, force: true });
  if (readdirSync(home.path).length === 0) rmdirSync(home.path);
}
