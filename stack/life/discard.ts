import { rmSync } from 'node:fs';
import { sleep } from '../../core/clock.ts';
import type { Home } from '../../core/home.ts';
import { DAEMON_NAMES, SERVER_NAMES } from '../layout.ts';
import { signal } from '../process/identity.ts';
import { runningDaemon, runningServer, supervisorOf } from '../supervisor/control.ts';

const PATIENCE_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 50;

/**
 * Removes a home that nobody needs any more, with all that is in it. What runs of it is killed: what it has not written
 * yet is of no use. A start that goes on elsewhere fails.
 */
export async function discardHome(home: Home): Promise<void> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (killAll(home) && Date.now() < deadline) await sleep(POLL_MILLISECONDS);
  rmSync(home.path, { recursive: true, force: true, maxRetries: 10 });
}

/** The supervisor first: it would start again what ends. Returns whether anything ran. */
function killAll(home: Home): boolean {
  const found = [
    supervisorOf(home),
    ...DAEMON_NAMES.map((name) => runningDaemon(home, name)),
    ...SERVER_NAMES.map((server) => runningServer(home, server)),
  ].filter((process) => process !== undefined);
  for (const process of found) signal(process, 'SIGKILL');
  return found.length > 0;
}
