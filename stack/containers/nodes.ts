import type { Settings } from '../../core/configuration.ts';
import type { Home } from '../../core/home.ts';
import { LOOPBACK_HOSTS, type ServerHosts, type ServerName } from '../../security/certs/identities.ts';
import { cassandraFiles, type Files } from '../configure-cassandra.ts';
import { kafkaFiles } from '../configure.ts';
import type { Ports } from '../ports.ts';

export const PORTS: Ports = {
  ...{ kafkaClient: 9092, kafkaBroker: 9093, kafkaController: 9094 },
  ...{ cassandraClient: 9042, cassandraInternode: 7000, cassandraJmx: 7199 },
};
/** Where the official images have their jars. */
export const KAFKA_JARS = '/opt/kafka/libs';
const CASSANDRA_JARS = { folder: '/opt/cassandra/lib', agent: '/opt/cassandra/lib/jamm-0.4.0.jar' };
const TOKENS = 2n ** 64n;
const FIRST_TOKEN = -(2n ** 63n);

/** The names of the containers of so many nodes on their network: `kafka`, `kafka-2`, `kafka-3`. */
export function hostsOf(server: ServerName, nodes: number): readonly string[] {
  return Array.from({ length: nodes }, (_, index) => (index === 0 ? server : `${server}-${index + 1}`));
}

/** Where processes send telemetry. */
export const COLLECTOR = 'https://collector:4318';

/** Under which names each server's certificate is valid: those of its containers, and loopback. */
export function namesOfNodes(nodes: number): ServerHosts {
  return {
    kafka: [...hostsOf('kafka', nodes), ...LOOPBACK_HOSTS],
    cassandra: [...hostsOf('cassandra', nodes), ...LOOPBACK_HOSTS],
    collector: ['collector', ...LOOPBACK_HOSTS],
    jaeger: ['jaeger', ...LOOPBACK_HOSTS],
  };
}

/** The configuration of each broker, by the name of its container; every one of them sees it at the same place. */
export function brokers(home: Home, settings: Settings, nodes: number): ReadonlyMap<string, Files> {
  const quorum = hostsOf('kafka', nodes);
  return new Map(
    quorum.map((advertisedHost, index) => {
      const place = { nodeId: index + 1, bindHost: '0.0.0.0', advertisedHost, quorum };
      return [advertisedHost, kafkaFiles(home, settings, PORTS, KAFKA_JARS, place)];
    }),
  );
}

/** The same of each node of Cassandra. They divide the ring evenly, and find one another through the first. */
export function cassandraNodes(home: Home, settings: Settings, nodes: number): ReadonlyMap<string, Files> {
  const hosts = hostsOf('cassandra', nodes);
  return new Map(
    hosts.map((host, index) => {
      const token = nodes > 1 ? String(FIRST_TOKEN + (TOKENS * BigInt(index)) / BigInt(nodes)) : undefined;
      const place = { host, seeds: hosts.slice(0, 1), token, joins: nodes > 1 };
      return [host, cassandraFiles(home, settings, PORTS, CASSANDRA_JARS, place)];
    }),
  );
}
