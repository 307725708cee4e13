import { parseDocument } from 'yaml';
import { systemClock } from '../../core/clock.ts';
import type { Settings } from '../../core/configuration.ts';
import { makeSecretFolder, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { LOOPBACK_HOSTS, nameServers } from '../../security/certs/identities.ts';
import { mintCertificates } from '../../security/certs/mint.ts';
import { mintKeyStores } from '../../security/keyring/mint.ts';
import { formatOptions } from '../bootstrap/format-kafka.ts';
import { cassandraFiles } from '../configure-cassandra.ts';
import { kafkaFiles } from '../configure.ts';
import { connectionTo } from '../connection.ts';
import { stackLayout } from '../layout.ts';
import type { Ports } from '../ports.ts';
import { javaOptions } from '../render/java-options.ts';
import { handOut } from './hand-out.ts';

/** The names of the servers' containers on their network. */
const HOSTS = { kafka: 'kafka', cassandra: 'cassandra' } as const;
const PORTS: Ports = {
  ...{ kafkaClient: 9092, kafkaBroker: 9093, kafkaController: 9094 },
  ...{ cassandraClient: 9042, cassandraInternode: 7000, cassandraJmx: 7199 },
};
/** Where the official images have their jars. */
const KAFKA_JARS = '/opt/kafka/libs';
const CASSANDRA_JARS = { folder: '/opt/cassandra/lib', agent: '/opt/cassandra/lib/jamm-0.4.0.jar' };

/** Where the containers have the stores, unless the settings say otherwise. */
const STORES = { store: '/stores/backup', escrow: '/stores/escrow' } as const;

export interface ContainerVolumes {
  /** The folder under which every container's volume is mounted by its name. */
  readonly folder: string;
  /** Settings that a user wrote; undefined for the defaults. */
  readonly settingsText: string | undefined;
}

/**
 * Makes a home for servers in containers of their own, or completes it: certificates, passwords, keys, the servers'
 * configuration as the embedded stack has it. Then gives each container's volume what that container needs, and nothing
 * else: see handOut. All containers MUST see their volume at the path that the home has here. Does no harm when called
 * again. Throws CERTIFICATE_INVALID, KEY_STORE_UNREADABLE, CONFIGURATION_INVALID.
 */
export async function prepareContainers(home: Home, settings: Settings, volumes: ContainerVolumes): Promise<void> {
  const layout = stackLayout(home);
  nameServers(home, {
    kafka: [HOSTS.kafka, ...LOOPBACK_HOSTS],
    cassandra: [HOSTS.cassandra, ...LOOPBACK_HOSTS],
  });
  await mintCertificates(home, systemClock);
  await mintKeyStores(home, systemClock);
  writeFileAtomic(layout.ports, `${JSON.stringify(PORTS, null, 2)}\n`);
  for (const { folder } of [layout.kafka, layout.cassandra]) makeSecretFolder(folder);
  const kafka = kafkaFiles(home, settings, PORTS, KAFKA_JARS, { bindHost: '0.0.0.0', advertisedHost: HOSTS.kafka });
  const place = { host: HOSTS.cassandra, seeds: [HOSTS.cassandra], joins: false };
  const cassandra = cassandraFiles(home, settings, PORTS, CASSANDRA_JARS, place);
  for (const [path, content] of [...kafka, ...cassandra]) writeFileAtomic(path, content);
  writeFileAtomic(layout.kafka.formatArguments, javaOptions(formatOptions(home, KAFKA_JARS)));
  writeFileAtomic(home.paths.configuration, settingsOf(home, volumes.settingsText));
  handOut(home, volumes.folder);
}

/** What the user set, and with it how to reach the servers. */
function settingsOf(home: Home, text: string | undefined): string {
  const document = parseDocument(text ?? '');
  for (const [name, place] of Object.entries(STORES))
    if (!document.hasIn(['backup', name])) document.setIn(['backup', name], place);
  document.setIn(['connection'], connectionTo(home, 'external', HOSTS, PORTS));
  return document.toString();
}
