import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Settings } from '../core/configuration.ts';
import { SECRET_FOLDER_MODE, writeFileAtomic } from '../core/files.ts';
import type { Home } from '../core/home.ts';
import { authorityPaths } from '../security/certs/identities.ts';
import { cassandraFiles, lonePlace, secret, type Files, type StackProgram } from './configure-cassandra.ts';
import { daemonPlan } from './daemons.ts';
import { type DaemonName, stackLayout, type StackLayout } from './layout.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import { javaOptions, kafkaJvmOptions } from './render/java-options.ts';
import { kafkaLogging } from './render/kafka-logging.ts';
import { kafkaProperties } from './render/kafka-properties.ts';
import { writePlan } from './supervisor/state.ts';

const KAFKA_MAIN = 'kafka.Kafka';

/**
 * Writes the configuration of both servers and the supervisor's plan, which names these daemons, from the home's certificates, passwords and ports.
 * The same input gives the same files, and a digest by which a running server is known to have been started with them.
 */
export function configureServers(
  home: Home,
  settings: Settings,
  ports: Ports,
  program: StackProgram,
  daemons: readonly DaemonName[],
): void {
  const layout = stackLayout(home);
  for (const folder of foldersOf(layout)) mkdirSync(folder, { recursive: true, mode: SECRET_FOLDER_MODE });
  const kafka = kafkaFiles(home, layout, settings, ports, program);
  const cassandra = cassandraFiles(home, settings, ports, program, lonePlace());
  for (const [path, content] of [...kafka, ...cassandra]) writeFileAtomic(path, content);
  const entry = (server: StackLayout['kafka' | 'cassandra'], files: Files) => ({
    program: program.java,
    arguments: [`@${server.options}`],
    foundBy: `@${server.options}`,
    folder: server.folder,
    console: server.console,
    digest: digestOf([...files, ['java', program.java]]),
  });
  writePlan(layout.supervisor.plan, {
    servers: { kafka: entry(layout.kafka, kafka), cassandra: entry(layout.cassandra, cassandra) },
    daemons: Object.fromEntries(daemons.map((name) => [name, daemonPlan(home, name)])),
  });
}

function foldersOf(layout: StackLayout): readonly string[] {
  const { kafka, cassandra, supervisor } = layout;
  return [layout.logs, kafka.folder, kafka.temporary, cassandra.data, cassandra.temporary, supervisor.folder];
}

function kafkaFiles(home: Home, layout: StackLayout, settings: Settings, ports: Ports, program: StackProgram): Files {
  const { kafka } = layout;
  const properties = kafkaProperties({
    nodeId: 1,
    bindHost: LOOPBACK,
    advertisedHost: LOOPBACK,
    ports: { client: ports.kafkaClient, broker: ports.kafkaBroker, controller: ports.kafkaController },
    dataFolder: kafka.data,
    keyStore: kafka.keyStore,
    trustStore: authorityPaths(home).trust,
    password: secret(kafka.password),
    superUsers: ['break-glass'],
  });
  const jvm = kafkaJvmOptions({
    heapMegabytes: settings.servers.kafkaHeapMegabytes,
    jars: program.jars.kafka,
    temporaryFolder: kafka.temporary,
    loggingConfiguration: kafka.logging,
  });
  return [
    [kafka.properties, properties],
    [kafka.logging, kafkaLogging(kafka.log, kafka.authorizerLog)],
    [kafka.options, javaOptions([...jvm, KAFKA_MAIN, kafka.properties])],
  ];
}

/** Tells one whole configuration from another. */
function digestOf(files: Files): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}
