import { parseDocument } from 'yaml';
import { systemClock } from '../../core/clock.ts';
import type { Settings } from '../../core/configuration.ts';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { copiesAmong } from '../../core/replication.ts';
import { authorityPaths, nameServers } from '../../security/certs/identities.ts';
import { mintCertificates } from '../../security/certs/mint.ts';
import { mintKeyStores } from '../../security/keyring/mint.ts';
import { formatOptions } from '../bootstrap/format-kafka.ts';
import { connectionTo } from '../connection.ts';
import { stackLayout } from '../layout.ts';
import { javaOptions } from '../render/java-options.ts';
import { handOut } from './hand-out.ts';
import { brokers, cassandraNodes, COLLECTOR, hostsOf, KAFKA_JARS, namesOfNodes, PORTS } from './nodes.ts';

/** Where the containers have the stores, unless the settings say otherwise. */
const STORES = { store: '/stores/backup', escrow: '/stores/escrow' } as const;

export interface ContainerVolumes {
  /** The folder under which every container's volume is mounted by its name. */
  readonly folder: string;
  /** Settings that a user wrote; undefined for the defaults. */
  readonly settingsText: string | undefined;
  /** How many brokers there are, and how many nodes of Cassandra. */
  readonly nodes: number;
  /** Whether processes send telemetry to the container `collector`, unless the settings name another place. */
  readonly collector: boolean;
}

/**
 * Makes a home for servers in containers of their own, or completes it: certificates, passwords, keys, the servers'
 * configuration as the embedded stack has it. Then gives each container's volume what that container needs, and nothing
 * else: see handOut. All containers MUST see their volume at the path that the home has here. Does no harm when called
 * again. Throws CERTIFICATE_INVALID, KEY_STORE_UNREADABLE, CONFIGURATION_INVALID.
 */
export async function prepareContainers(home: Home, settings: Settings, volumes: ContainerVolumes): Promise<void> {
  const { nodes } = volumes;
  const layout = stackLayout(home);
  nameServers(home, namesOfNodes(nodes));
  await mintCertificates(home, systemClock);
  await mintKeyStores(home, systemClock);
  writeFileAtomic(layout.ports, `${JSON.stringify(PORTS, null, 2)}\n`);
  for (const { folder } of [layout.kafka, layout.cassandra]) makeSecretFolder(folder);
  const servers = { kafka: brokers(home, settings, nodes), cassandra: cassandraNodes(home, settings, nodes) };
  // The home itself is beside the first of each.
  for (const files of [servers.kafka.get('kafka'), servers.cassandra.get('cassandra')])
    for (const [path, content] of files ?? []) writeFileAtomic(path, content);
  const controllers = hostsOf('kafka', nodes).map((host) => `${host}:${PORTS.kafkaController}`);
  writeFileAtomic(layout.kafka.formatArguments, javaOptions(formatOptions(home, KAFKA_JARS, controllers)));
  writeFileAtomic(home.paths.configuration, settingsOf(home, volumes));
  handOut(home, servers, volumes.folder);
}

/** What the user set, and with it how to reach the servers. */
function settingsOf(home: Home, { settingsText, nodes, collector }: ContainerVolumes): string {
  const document = parseDocument(settingsText ?? '');
  const setUnlessSet = (path: readonly string[], value: unknown): void => {
    if (!document.hasIn(path)) document.setIn(path, value);
  };
  for (const [name, place] of Object.entries(STORES)) setUnlessSet(['backup', name], place);
  // A drill starts servers of its own, and reads what the archiver cannot: no container may do either.
  setUnlessSet(['backup', 'schedule', 'drill'], '');
  setUnlessSet(['topics', 'replicationFactor'], copiesAmong(nodes));
  if (collector && !document.hasIn(['telemetry', 'otlpEndpoint'])) {
    document.setIn(['telemetry', 'otlpEndpoint'], COLLECTOR);
    document.setIn(['telemetry', 'otlpCa'], authorityPaths(home).trust);
  }
  const hosts = { kafka: hostsOf('kafka', nodes), cassandra: hostsOf('cassandra', nodes) };
  document.setIn(['connection'], connectionTo(home, 'external', hosts, PORTS));
  return document.toString();
}
