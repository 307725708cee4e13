import { readFileSync } from 'node:fs';
import type { Settings } from '../core/configuration.ts';
import type { Home } from '../core/home.ts';
import { authorityPaths, principalAccess, spiffeId } from '../security/certs/identities.ts';
import { stackLayout } from './layout.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import { cassandraLogging, silentLogging } from './render/cassandra-logging.ts';
import { cassandraYaml } from './render/cassandra-yaml.ts';
import { cassandraJvmOptions, javaOptions } from './render/java-options.ts';
import { jmxAccessFile, jmxPasswordFile } from './render/jmx-login.ts';

/** Who may log in to Cassandra's JMX: the stack itself, and the archiver for its snapshots. */
export const STACK_JMX_USER = 'wardline';
export const ARCHIVER = 'archiver';

const CASSANDRA_MAIN = 'org.apache.cassandra.service.CassandraDaemon';
/** A lone node scans fastest with one range of tokens. */
const TOKENS = 1;

/** The jars of Cassandra: their folder, and the one that is its JVM's agent. */
export interface CassandraJars {
  readonly folder: string;
  readonly agent: string;
}

/** Paths with what they are to hold. */
export type Files = readonly (readonly [path: string, content: string])[];

/** Where a node stands in its cluster. All nodes of one have the same ports, each on an address of its own. */
export interface CassandraPlace {
  /** The address that it listens on, and that others know it by. */
  readonly host: string;
  /** Addresses of the nodes through which it finds the others; the first node of a cluster names itself. */
  readonly seeds: readonly string[];
  /** Where it begins in the ring; without one it chooses for itself when it joins. */
  readonly token?: string | undefined;
  /** Whether there are others, whom it must hear of before it takes a place among them. */
  readonly joins: boolean;
}

/** A node that has nobody beside it, as `up` starts one. */
export function lonePlace(): CassandraPlace {
  return { host: LOOPBACK, seeds: [LOOPBACK], joins: false };
}

/** All that a node of Cassandra is configured by, from the home's certificates and passwords. */
export function cassandraFiles(
  home: Home,
  settings: Settings,
  ports: Ports,
  jars: CassandraJars,
  place: CassandraPlace,
): Files {
  const { cassandra } = stackLayout(home);
  const yaml = cassandraYaml({
    clusterName: `wardline ${home.install}`,
    host: place.host,
    seeds: place.seeds.map((host) => `${host}:${ports.cassandraInternode}`),
    ports: { client: ports.cassandraClient, internode: ports.cassandraInternode },
    tokens: TOKENS,
    token: place.token,
    dataFolder: cassandra.data,
    commitLogFolder: cassandra.commitLog,
    keyStore: cassandra.keyStore,
    trustStore: authorityPaths(home).trust,
    peers: [spiffeId(home, 'server', 'cassandra')],
  });
  const jvm = cassandraJvmOptions({
    joins: place.joins,
    heapMegabytes: settings.servers.cassandraHeapMegabytes,
    jars: jars.folder,
    jammJar: jars.agent,
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

/** A secret from its file. */
export function secret(path: string): string {
  return readFileSync(path, 'utf8').trim();
}
