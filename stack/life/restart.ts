import { sleep } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { embeddedConnection } from '../connection.ts';
import { SERVER_TITLES, stackLayout, type ServerName } from '../layout.ts';
import { nodetool } from '../nodetool.ts';
import { readPorts } from '../ports.ts';
import { signal } from '../process/identity.ts';
import { whenReady } from './ready.ts';
import { runningServer, supervisorOf } from '../supervisor/control.ts';

const POLL_MILLISECONDS = 100;
/** Longer than a server may take to end before it is forced, plus a start. */
const TIMEOUT_MILLISECONDS = 120_000;

/**
 * Ends one server gracefully and returns when the one that its supervisor starts in its place answers.
 * Throws NOT_RUNNING where it does not run under a supervisor, SERVER_START_FAILED where it does not come back.
 */
export async function restartServer(home: Home, server: ServerName): Promise<void> {
  const before = runningServer(home, server);
  const ports = readPorts(stackLayout(home).ports);
  if (before === undefined || ports === undefined || supervisorOf(home) === undefined) {
    throw new WardlineError('NOT_RUNNING', `${SERVER_TITLES[server]} of ${home.path} does not run`, {
      hint: `start it with: wardline up --home ${home.path}`,
    });
  }
  signal(before, 'SIGTERM');
  const deadline = Date.now() + TIMEOUT_MILLISECONDS;
  for (;;) {
    const now = runningServer(home, server);
    if (now !== undefined && now.started !== before.started) break;
    if (Date.now() > deadline) {
      throw new WardlineError('SERVER_START_FAILED', `${SERVER_TITLES[server]} did not end in time`, {
        hint: `see ${stackLayout(home)[server].log}`,
      });
    }
    await sleep(POLL_MILLISECONDS);
  }
  await whenReady(home, server, [embeddedConnection(home, ports)], 'operator');
}

/**
 * Makes the running servers use the certificates and authorities that now stand in the home, for every new connection.
 * Cassandra reads them again without a stop; Kafka is restarted. Open connections stay as they are, except Kafka's.
 * A server that does not run is left alone: it reads them when it starts. Throws as restartServer and nodetool do.
 */
export async function reloadCertificates(home: Home): Promise<void> {
  const runs = (server: ServerName): boolean => runningServer(home, server) !== undefined;
  await Promise.all([
    ...(runs('cassandra') ? [nodetool(home, ['reloadssl'])] : []),
    ...(runs('kafka') ? [restartServer(home, 'kafka')] : []),
  ]);
}
