import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import type { Admin } from 'kafkajs';
import { sleep } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { principalAccess } from '../../security/certs/identities.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { whenReady, whenReadyElsewhere } from '../life/ready.ts';
import { digestOfRights, isMarked, markBootstrapped } from '../storage/mark.ts';
import {
  CASSANDRA_BASE,
  DEFAULT_ROLE,
  disableDefaultRole,
  provisionAuditKeyspace,
  provisionGrants,
  provisionRole,
  replicateRoles,
} from './cassandra-roles.ts';
import { KAFKA_BASE, provisionKafka } from './kafka-access.ts';

const SUPER_USER = 'break-glass';
const RANDOM_PASSWORD_BYTES = 32;
const NODES_PATIENCE_MILLISECONDS = 120_000;
const NODES_POLL_MILLISECONDS = 500;

/** Whether the servers have the roles, rights and topics of this version. Where they have, break-glass stays unused. */
export function isBootstrapped(home: Home): boolean {
  return isMarked(home, rights());
}

/**
 * Gives new servers their principals, rights and audit topics, as break-glass. Waits until the servers answer.
 * A bootstrap that was cut short at any point is completed by the next.
 * Throws what whenReady, Kafka or Cassandra give.
 */
export async function bootstrap(home: Home, connection: Connection): Promise<void> {
  await provisionServers(home, connection, (...probe) => whenReady(home, ...probe));
  markBootstrapped(home, rights());
}

/** Returns the one of these connections over which a server answers that principal. */
type Ready = typeof whenReadyElsewhere;

/** The same for servers that somebody else keeps, without a mark: it can be done again at any time. */
export function provisionServersElsewhere(home: Home, connection: Connection): Promise<void> {
  return provisionServers(home, connection, whenReadyElsewhere);
}

async function provisionServers(home: Home, connection: Connection, ready: Ready): Promise<void> {
  await Promise.all([bootstrapKafka(connection, ready), bootstrapCassandra(home, connection, ready)]);
}

function rights(): string {
  return digestOfRights({ kafka: KAFKA_BASE, cassandra: CASSANDRA_BASE });
}

async function bootstrapKafka(connection: Connection, ready: Ready): Promise<void> {
  await ready('kafka', [connection], SUPER_USER);
  const admin = kafkaClient(connection, SUPER_USER, { clientId: 'wardline-bootstrap' }).admin();
  try {
    await admin.connect();
    await provisionKafka(admin, await brokersThere(admin, connection.kafka.brokers.length));
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect();
  }
}

/** How many brokers there are, once there are as many as the connection names. */
async function brokersThere(admin: Admin, named: number): Promise<number> {
  for (const deadline = Date.now() + NODES_PATIENCE_MILLISECONDS; ;) {
    const { brokers } = await admin.describeCluster();
    if (brokers.length >= named) return brokers.length;
    if (Date.now() > deadline)
      throw new WardlineError('SERVER_START_FAILED', `${brokers.length} of ${named} brokers are there`, {
        hint: "see the others' own logs",
      });
    await sleep(NODES_POLL_MILLISECONDS);
  }
}

async function bootstrapCassandra(home: Home, connection: Connection, ready: Ready): Promise<void> {
  await ensureSuperUser(home, connection, ready);
  await withClient(cassandraClient(connection, SUPER_USER), async (client) => {
    for (const name of PRINCIPAL_NAMES) await provisionRole(client, name, passwordOf(home, name));
    await provisionAuditKeyspace(client);
    await provisionGrants(client);
    await disableDefaultRole(client, randomBytes(RANDOM_PASSWORD_BYTES).toString('base64url'));
  });
}

/**
 * Break-glass is made by the default role, which works until break-glass disables it: so whoever of the two gets in
 * first tells how far an earlier bootstrap came. The default role is tried first, and break-glass only where it is refused:
 * on new servers break-glass would be refused, and a refused login of break-glass is what an auditor must not learn to
 * overlook.
 */
async function ensureSuperUser(home: Home, connection: Connection, ready: Ready): Promise<void> {
  makeSecretFolder(home.paths.supervisor);
  const passwordFile = join(home.paths.supervisor, 'default-role.password');
  writeFileAtomic(passwordFile, DEFAULT_ROLE);
  try {
    const asDefault = asDefaultRole(connection, passwordFile);
    const admitted = await ready('cassandra', [asDefault, connection], SUPER_USER);
    if (admitted === connection) return;
    await withClient(cassandraClient(asDefault, SUPER_USER), async (client) => {
      await replicateRoles(client);
      await provisionRole(client, SUPER_USER, passwordOf(home, SUPER_USER));
    });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** The default role has no certificate of its own: it comes with break-glass's. */
function asDefaultRole(connection: Connection, passwordFile: string): Connection {
  const access = connection.principals[SUPER_USER];
  if (access === undefined) throw new WardlineError('CREDENTIAL_MISSING', `the connection lacks ${SUPER_USER}`);
  const principals = { ...connection.principals, [SUPER_USER]: { ...access, username: DEFAULT_ROLE, passwordFile } };
  return { ...connection, principals };
}

async function withClient(client: Client, work: (client: Client) => Promise<void>): Promise<void> {
  try {
    await work(client);
  } catch (error) {
    throw asCassandraError(error);
  } finally {
    await client.shutdown();
  }
}

function passwordOf(home: Home, name: PrincipalName): string {
  return readFileSync(principalAccess(home, name).passwordFile, 'utf8').trim();
}
