import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import type { Settings } from '../core/configuration.ts';
import { SECRET_FOLDER_MODE, writeFileAtomic } from '../core/files.ts';
import type { Home } from '../core/home.ts';
import { authorityPaths, principalAccess, spiffeId } from '../security/certs/identities.ts';
import { daemonPlan } from './daemons.ts';
import { jarOf, type JarFolders } from './provide/jars.ts';
import { type DaemonName, stackLayout, type StackLayout } from './layout.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import { cassandraLogging, silentLogging } from './render/cassandra-logging.ts';
import { cassandraYaml } from './render/cassandra-yaml.ts';
import { cassandraJvmOptions, javaOptions, kafkaJvmOptions } from './render/java-options.ts';
import { jmxAccessFile, jmxPasswordFile } from './render/jmx-login.ts';
import { kafkaLogging } from './render/kafka-logging.ts';
import { kafkaProperties } from './render/kafka-properties.ts';
import { writePlan } from './supervisor/state.ts';

/** Who may log in to Cassandra's JMX: the stack itself, and the archiver for its snapshots. */
export const STACK_JMX_USER = 'wardline';
export const ARCHIVER = 'archiver';

const KAFKA_MAIN = 'kafka.Kafka';
const CASSANDRA_MAIN = 'org.apache.cassandra.service.CassandraDaemon';
/** A lone node scans fastest with one range of tokens. */
const TOKENS = 1;

export interface StackProgram {
  readonly java: string;
  readonly jars: JarFolders;
}

type Files = readonly (readonly [path: string, content: string])[];

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
  const cassandra = cassandraFiles(home, layout, settings, ports, program);
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

function cassandraFiles(
  home: Home,
  layout: StackLayout,
  settings: Settings,
  ports: Ports,
  program: StackProgram,
): Files {
  const { cassandra } = layout;
  const yaml = cassandraYaml({
    clusterName: `wardline ${home.install}`,
    host: LOOPBACK,
    seeds: [`${LOOPBACK}:${ports.cassandraInternode}`],
    ports: { client: ports.cassandraClient, internode: ports.cassandraInternode },
    tokens: TOKENS,
    dataFolder: cassandra.data,
    commitLogFolder: cassandra.commitLog,
    keyStore: cassandra.keyStore,
    trustStore: authorityPaths(home).trust,
    peers: [spiffeId(home, 'server', 'cassandra')],
  });
  const jvm = cassandraJvmOptions({
    heapMegabytes: settings.servers.cassandraHeapMegabytes,
    jars: program.jars.cassandra,
    jammJar: jarOf(program.jars.cassandra, 'jamm'),
    temporaryFolder: cassandra.temporary,
    dataFolder: cassandra.data,
    configuration: cassandra.configuration,
    loggingConfiguration: cassandra.logging,
    jmx: { port: ports.cassandraJmx, passwordFile: cassandra.jmxPasswords, accessFile: cassandra.jmxAccess },
  });
  const own = { name: STACK_JMX_USER, password: secret(cassandra.jmxPassword) };
  const archiver = { name: ARCHIVER, password: secret(principalAccess(home, ARCHIVER).passwordFile) };
  return [
    [cassandra.configuration, yaml],
    [cassandra.logging, cassandraLogging(cassandra.log, cassandra.auditLog)],
    [cassandra.jmxPasswords, jmxPasswordFile([own, archiver])],
    [cassandra.jmxAccess, jmxAccessFile([own, archiver])],
    [cassandra.nodetoolLogin, jmxPasswordFile([own])],
    [cassandra.archiverLogin, jmxPasswordFile([archiver])],
    [cassandra.nodetoolLogging, silentLogging()],
    [cassandra.options, javaOptions([...jvm, CASSANDRA_MAIN])],
  ];
}

function secret(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

/** Tells one whole configuration from another. */
function digestOf(files: Files): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}
