import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Settings } from '../core/configuration.ts';
import { SECRET_FOLDER_MODE, writeFileAtomic } from '../core/files.ts';
import type { Home } from '../core/home.ts';
import { authorityPaths } from '../security/certs/identities.ts';
import { cassandraFiles, lonePlace, secret, type Files } from './configure-cassandra.ts';
import { daemonPlan } from './daemons.ts';
import { type DaemonName, type ServerName, stackLayout, type StackLayout } from './layout.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import { jarOf, type JarFolders } from './provide/jars.ts';
import { archiveOptions } from './provide/server-archive.ts';
import { javaOptions, kafkaJvmOptions } from './render/java-options.ts';
import { kafkaLogging } from './render/kafka-logging.ts';
import { kafkaProperties } from './render/kafka-properties.ts';
import { writePlan } from './supervisor/state.ts';

const KAFKA_MAIN = 'kafka.Kafka';

export interface StackProgram {
  readonly java: string;
  readonly jars: JarFolders;
}

/** Where a node stands in its cluster. All nodes of one have the same ports, each on a host of its own. */
export interface KafkaPlace {
  /** From 1 on: its place in `quorum`. */
  readonly nodeId: number;
  readonly bindHost: string;
  /** The name under which others reach it: its certificate must carry that. */
  readonly advertisedHost: string;
  /** Such names of all nodes. */
  readonly quorum: readonly string[];
}

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
  const { jars } = program;
  const kafka = kafkaFiles(home, settings, ports, jars.kafka, loneBroker());
  const agent = jarOf(jars.cassandra, 'jamm');
  const cassandra = cassandraFiles(home, settings, ports, { folder: jars.cassandra, agent }, lonePlace());
  for (const [path, content] of [...kafka, ...cassandra]) writeFileAtomic(path, content);
  const entry = (name: ServerName, files: Files) => {
    const { options, folder, console } = layout[name];
    return {
      program: program.java,
      // No part of the digest: with an archive or without, it is the same server.
      arguments: [...archiveOptions(home, name, jars), `@${options}`],
      foundBy: `@${options}`,
      ...{ folder, console },
      digest: digestOf([...files, ['java', program.java]]),
    };
  };
  writePlan(layout.supervisor.plan, {
    servers: { kafka: entry('kafka', kafka), cassandra: entry('cassandra', cassandra) },
    daemons: Object.fromEntries(daemons.map((name) => [name, daemonPlan(home, name)])),
  });
}

/** A broker that has nobody beside it, as `up` starts one. */
function loneBroker(): KafkaPlace {
  return { nodeId: 1, bindHost: LOOPBACK, advertisedHost: LOOPBACK, quorum: [LOOPBACK] };
}

function foldersOf(layout: StackLayout): readonly string[] {
  const { kafka, cassandra, supervisor } = layout;
  return [layout.logs, kafka.folder, kafka.temporary, cassandra.data, cassandra.temporary, supervisor.folder];
}

/** All that a broker is configured by, from the home's certificates and passwords; `jars` is the folder of Kafka's. */
export function kafkaFiles(home: Home, settings: Settings, ports: Ports, jars: string, place: KafkaPlace): Files {
  const { kafka } = stackLayout(home);
  const properties = kafkaProperties({
    ...place,
    ports: { client: ports.kafkaClient, broker: ports.kafkaBroker, controller: ports.kafkaController },
    dataFolder: kafka.data,
    keyStore: kafka.keyStore,
    trustStore: authorityPaths(home).trust,
    password: secret(kafka.password),
    superUsers: ['break-glass'],
  });
  const jvm = kafkaJvmOptions({
    heapMegabytes: settings.servers.kafkaHeapMegabytes,
    jars,
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
