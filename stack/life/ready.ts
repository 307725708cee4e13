import { sleep } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { EXIT, WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import type { PrincipalName } from '../../security/principals/names.ts';
import { SERVER_TITLES, stackLayout, type ServerName } from '../layout.ts';
import { readPorts, requireFreePorts } from '../ports.ts';
import { supervisorOf } from '../supervisor/control.ts';
import { readState } from '../supervisor/state.ts';

const POLL_MILLISECONDS = 200;
const START_TIMEOUT_MILLISECONDS = 180_000;
/** So many ends in a row are not a mishap: the server cannot run as things stand. */
const ENDS_TO_GIVE_UP = 3;

/** Throws while the server does not answer this principal. */
type Probe = (connection: Connection, principal: PrincipalName) => Promise<void>;

/** A real request with real credentials: what a log line says is no proof that anyone gets in. */
const PROBES: Readonly<Record<ServerName, Probe>> = {
  kafka: async (connection, principal) => {
    const admin = kafkaClient(connection, principal, { clientId: 'wardline-ready' }).admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      // Fails while any topic that this principal sees has no leader, as after a broker was killed.
      await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  },
  cassandra: async (connection, principal) => {
    const client = cassandraClient(connection, principal);
    try {
      await client.execute('SELECT release_version FROM system.local');
    } finally {
      await client.shutdown();
    }
  },
};

const AS_ERROR: Readonly<Record<ServerName, (thrown: unknown) => WardlineError>> = {
  kafka: asKafkaError,
  cassandra: asCassandraError,
};

/**
 * Returns when the server answers a request of that principal over one of the connections, and over which. The first one
 * goes first: the next is tried only where the server refused those before.
 * Throws PORT_IN_USE or SERVER_START_FAILED where it ends again and again, its supervisor dies, or three minutes pass.
 */
export async function whenReady(
  home: Home,
  server: ServerName,
  connections: readonly Connection[],
  principal: PrincipalName,
): Promise<Connection> {
  const layout = stackLayout(home);
  const endsBefore = readState(layout.supervisor.state)?.servers[server].restarts ?? 0;
  return whenAnswers(server, connections, principal, async (late, cause) => {
    const state = readState(layout.supervisor.state)?.servers[server];
    const ends = (state?.restarts ?? 0) - endsBefore;
    const why = reasonToGiveUp(home, ends, state?.lastExit, late);
    if (why === undefined) return;
    const ports = readPorts(layout.ports);
    if (ports !== undefined && ends > 0) await requireFreePorts(server, ports, layout.ports, state?.process?.pid);
    throw new WardlineError('SERVER_START_FAILED', `${SERVER_TITLES[server]} ${why}`, {
      hint: `see ${layout[server].log} and ${layout[server].console}`,
      cause,
    });
  });
}

/** The same for a server that somebody else keeps: it is waited for as long as one that starts may take. */
export function whenReadyElsewhere(
  server: ServerName,
  connections: readonly Connection[],
  principal: PrincipalName,
): Promise<Connection> {
  return whenAnswers(server, connections, principal, (late, cause) => {
    if (!late) return Promise.resolve();
    throw new WardlineError('SERVER_START_FAILED', `${SERVER_TITLES[server]} does not answer`, {
      hint: "see the server's own log",
      cause,
    });
  });
}

/** After each failure `giveUp` may throw; it is told whether the time for a start has passed. */
async function whenAnswers(
  server: ServerName,
  connections: readonly Connection[],
  principal: PrincipalName,
  giveUp: (late: boolean, cause: unknown) => Promise<void>,
): Promise<Connection> {
  const deadline = Date.now() + START_TIMEOUT_MILLISECONDS;
  for (;;) {
    let cause: unknown;
    for (const connection of connections) {
      cause = await failureOf(PROBES[server](connection, principal));
      if (cause === undefined) return connection;
      // A server that was not there yet may be there a moment later, and refuse the next one, which then stands in its log.
      if (AS_ERROR[server](cause).exitCode !== EXIT.refused) break;
    }
    await giveUp(Date.now() > deadline, cause);
    await sleep(POLL_MILLISECONDS);
  }
}

function reasonToGiveUp(
  home: Home,
  ends: number,
  lastExit: string | null | undefined,
  late: boolean,
): string | undefined {
  if (ends >= ENDS_TO_GIVE_UP) return `ended ${ends} times, last with ${lastExit ?? 'an unknown exit'}`;
  if (supervisorOf(home) === undefined) return 'has lost its supervisor';
  return late ? 'does not answer' : undefined;
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error('unknown failure');
  }
}
