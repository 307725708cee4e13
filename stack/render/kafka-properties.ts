import { copiesAmong, inSyncOf } from '../../core/replication.ts';

/** What differs between one Kafka node and another, whoever starts it. */
export interface KafkaNode {
  readonly nodeId: number;
  /** The address that the listeners bind. */
  readonly bindHost: string;
  /** The name or address that clients are told to use; the certificate must carry it. */
  readonly advertisedHost: string;
  /** Names or addresses of all nodes, this one among them; all have the same ports. */
  readonly quorum: readonly string[];
  readonly ports: { readonly client: number; readonly broker: number; readonly controller: number };
  readonly dataFolder: string;
  /** One PEM file: private key, then certificate chain. */
  readonly keyStore: string;
  /** One PEM file: the trusted certificate authorities. */
  readonly trustStore: string;
  readonly password: string;
  readonly superUsers: readonly string[];
}

/** The name under which brokers and controllers know one another. */
export const KAFKA_SERVER_USER = 'kafka';

const TLS_PROTOCOLS = 'TLSv1.3,TLSv1.2';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
/** Few: each partition of an internal topic costs files and start-up time, and one node gains nothing by more. */
const INTERNAL_PARTITIONS = 4;
/**
 * How often what was acknowledged is forced to disk. Until then it is with the operating system, which keeps it when the
 * broker dies but not when the machine does; an fsync for every message would cost a third of the throughput.
 */
const FLUSH_INTERVAL_MILLISECONDS = 1000;
const CLEANER_BUFFER_BYTES = 8 * 1024 * 1024;
const LISTENERS = ['CLIENT', 'BROKER', 'CONTROLLER'] as const;

/**
 * server.properties of a combined broker and controller (KRaft). It holds the server's own password: mode 0600.
 * The plain `ssl.client.auth` does not bind SASL_SSL listeners; only the one with the listener's name does.
 */
export function kafkaProperties(node: KafkaNode): string {
  const addresses = (host: string): string =>
    LISTENERS.map((name) => `${name}://${host}:${portOf(node, name)}`).join(',');
  return render([
    ['process.roles', 'broker,controller'],
    ['node.id', node.nodeId],
    ['controller.quorum.bootstrap.servers', node.quorum.map((host) => `${host}:${node.ports.controller}`).join(',')],
    ['listeners', addresses(node.bindHost)],
    ['advertised.listeners', addresses(node.advertisedHost)],
    ['listener.security.protocol.map', LISTENERS.map((name) => `${name}:SASL_SSL`).join(',')],
    ['inter.broker.listener.name', 'BROKER'],
    ['controller.listener.names', 'CONTROLLER'],
    ['log.dirs', node.dataFolder],
    ...tls(node),
    ...logins(node.password),
    ['authorizer.class.name', 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'],
    ['allow.everyone.if.no.acl.found', false],
    ['super.users', [KAFKA_SERVER_USER, ...node.superUsers].map((name) => `User:${name}`).join(';')],
    ...topicDefaults(node.quorum.length),
    ...SMALL_NODE,
  ]);
}

function portOf(node: KafkaNode, listener: (typeof LISTENERS)[number]): number {
  const ports = { CLIENT: node.ports.client, BROKER: node.ports.broker, CONTROLLER: node.ports.controller };
  return ports[listener];
}

type Property = readonly [name: string, value: string | number | boolean];

function tls(node: KafkaNode): Property[] {
  return [
    ['ssl.keystore.type', 'PEM'],
    ['ssl.keystore.location', node.keyStore],
    ['ssl.truststore.type', 'PEM'],
    ['ssl.truststore.location', node.trustStore],
    ['ssl.enabled.protocols', TLS_PROTOCOLS],
    ['ssl.endpoint.identification.algorithm', 'https'],
    ...LISTENERS.map((name): Property => [`listener.name.${name.toLowerCase()}.ssl.client.auth`, 'required']),
  ];
}

/** SCRAM credentials live in the metadata log, which the controller itself serves: its own listener needs PLAIN, inside mTLS. */
function logins(password: string): Property[] {
  const self = `username="${KAFKA_SERVER_USER}" password="${password}"`;
  return [
    ['sasl.mechanism.inter.broker.protocol', 'SCRAM-SHA-512'],
    ['sasl.mechanism.controller.protocol', 'PLAIN'],
    ['listener.name.client.sasl.enabled.mechanisms', 'SCRAM-SHA-512'],
    ['listener.name.client.scram-sha-512.sasl.jaas.config', `${SCRAM} required;`],
    ['listener.name.broker.sasl.enabled.mechanisms', 'SCRAM-SHA-512'],
    ['listener.name.broker.scram-sha-512.sasl.jaas.config', `${SCRAM} required ${self};`],
    ['listener.name.controller.sasl.enabled.mechanisms', 'PLAIN'],
    [
      'listener.name.controller.plain.sasl.jaas.config',
      `${PLAIN} required ${self} user_${KAFKA_SERVER_USER}="${password}";`,
    ],
  ];
}

function topicDefaults(nodes: number): Property[] {
  const copies = copiesAmong(nodes);
  const inSync = inSyncOf(copies);
  return [
    ['auto.create.topics.enable', false],
    ['log.message.timestamp.type', 'LogAppendTime'],
    ['default.replication.factor', copies],
    ['min.insync.replicas', inSync],
    ['offsets.topic.replication.factor', copies],
    ['offsets.topic.num.partitions', INTERNAL_PARTITIONS],
    ['transaction.state.log.replication.factor', copies],
    ['transaction.state.log.min.isr', inSync],
    ['transaction.state.log.num.partitions', INTERNAL_PARTITIONS],
    ['share.coordinator.state.topic.replication.factor', copies],
    ['share.coordinator.state.topic.min.isr', inSync],
    ['share.coordinator.state.topic.num.partitions', INTERNAL_PARTITIONS],
    ['unclean.leader.election.enable', false],
    ['log.flush.interval.ms', FLUSH_INTERVAL_MILLISECONDS],
    ['log.flush.scheduler.interval.ms', FLUSH_INTERVAL_MILLISECONDS],
  ];
}

const SMALL_NODE: readonly Property[] = [
  ['num.network.threads', 2],
  ['num.io.threads', 4],
  ['background.threads', 2],
  ['num.recovery.threads.per.data.dir', 2],
  ['log.cleaner.threads', 1],
  ['log.cleaner.dedupe.buffer.size', CLEANER_BUFFER_BYTES],
  ['group.initial.rebalance.delay.ms', 0],
  ['controlled.shutdown.enable', true],
];

/** In a properties file a backslash, and nothing else that occurs in our values, needs escaping. */
function render(properties: readonly Property[]): string {
  return properties.map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`).join('');
}
