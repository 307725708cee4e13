import { join } from 'node:path';
import type { Home } from '../core/home.ts';
import type { ServerName } from '../security/certs/identities.ts';

export { SERVER_NAMES, type ServerName } from '../security/certs/identities.ts';

/**
 * Processes of the product that the supervisor runs beside the servers; each is the command of its name, and acts as the
 * principal of that name.
 */
export const DAEMON_NAMES = ['notary', 'recorder', 'archiver'] as const;

/** Ended once the others are: what they still did on the topics is to be in the archive. */
export const LAST_DAEMON = 'archiver' satisfies (typeof DAEMON_NAMES)[number];

export type DaemonName = (typeof DAEMON_NAMES)[number];

/** How a server is called in messages for people. */
export const SERVER_TITLES: Readonly<Record<ServerName, string>> = { kafka: 'Kafka', cassandra: 'Cassandra' };

export type StackLayout = ReturnType<typeof stackLayout>;

/** Every file and folder that the stack keeps in a home, by name. */
export function stackLayout(home: Pick<Home, 'paths'>) {
  const { servers, kafka, cassandra, supervisor, logs } = home.paths;
  return {
    ports: join(servers, 'ports.json'),
    logs,
    kafka: {
      folder: kafka,
      data: join(kafka, 'data'),
      temporary: join(kafka, 'tmp'),
      formatted: join(kafka, 'formatted.json'),
      formatArguments: join(kafka, 'format.options'),
      properties: join(kafka, 'server.properties'),
      logging: join(kafka, 'log4j2.xml'),
      options: join(kafka, 'java.options'),
      keyStore: join(servers, 'kafka', 'tls.pem'),
      password: join(servers, 'kafka', 'password'),
      console: join(logs, 'kafka-console.log'),
      log: join(logs, 'kafka.log'),
      authorizerLog: join(logs, 'kafka-authorizer.log'),
    },
    cassandra: {
      folder: cassandra,
      data: join(cassandra, 'data'),
      tables: join(cassandra, 'data', 'tables'),
      commitLog: join(cassandra, 'commitlog'),
      storageMark: join(cassandra, 'data', 'wardline-storage.json'),
      temporary: join(cassandra, 'tmp'),
      configuration: join(cassandra, 'cassandra.yaml'),
      logging: join(cassandra, 'logback.xml'),
      options: join(cassandra, 'java.options'),
      keyStore: join(servers, 'cassandra', 'tls.pem'),
      jmxPasswords: join(cassandra, 'jmx.password'),
      jmxAccess: join(cassandra, 'jmx.access'),
      nodetoolLogin: join(cassandra, 'nodetool.login'),
      archiverLogin: join(cassandra, 'archiver.login'),
      nodetoolLogging: join(cassandra, 'nodetool-logback.xml'),
      jmxPassword: join(servers, 'cassandra', 'jmx-password'),
      console: join(logs, 'cassandra-console.log'),
      log: join(logs, 'cassandra.log'),
      auditLog: join(logs, 'cassandra-audit.log'),
    },
    daemons: Object.fromEntries(DAEMON_NAMES.map((name) => [name, join(logs, `${name}.log`)])) as Record<
      DaemonName,
      string
    >,
    supervisor: {
      folder: supervisor,
      plan: join(supervisor, 'plan.json'),
      state: join(supervisor, 'state.json'),
      bootstrapped: join(supervisor, 'bootstrapped.json'),
      loss: join(supervisor, 'loss.json'),
      lock: join(supervisor, 'lock'),
      upLock: join(supervisor, 'up-lock'),
      log: join(logs, 'supervisor.log'),
    },
  } as const;
}
