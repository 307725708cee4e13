import { readFileSync } from 'node:fs';
import { readPorts, stackLayout } from '../../stack/index.ts';
import type { Patient } from './check.ts';
import {
  cqlOptions,
  cqlStartup,
  internodeInitiate,
  kafkaApiVersions,
  kafkaMetadata,
  type Endpoint,
  type Outcome,
} from './probe/sockets.ts';

/** A port that speaks TLS. */
export interface Listener extends Endpoint {
  readonly id: string;
  readonly title: string;
  /** The authorities that it is known by. */
  readonly ca: Buffer;
  /** Whose certificate it lets in. */
  readonly holder: 'operator' | 'cassandra';
  /** What a client says first on it; it is answered before a login. */
  readonly request: Buffer;
  /** What is only answered after a login, and how its refusal looks. */
  readonly withoutLogin?: { readonly request: Buffer; readonly isRefusal: (outcome: Outcome) => boolean };
}

const KAFKA = {
  holder: 'operator',
  request: kafkaApiVersions(),
  withoutLogin: { request: kafkaMetadata(), isRefusal: ({ answer }: Outcome) => answer.length === 0 },
} as const;

/** The opcode of a CQL frame that asks for a login. */
const CQL_AUTHENTICATE = 0x03;
const CQL_OPCODE_AT = 4;

const CASSANDRA = {
  holder: 'operator',
  request: cqlOptions(),
  withoutLogin: {
    request: cqlStartup(),
    isRefusal: ({ answer }: Outcome) => answer.length === 0 || answer[CQL_OPCODE_AT] === CQL_AUTHENTICATE,
  },
} as const;

const INTERNODE = { holder: 'cassandra', request: internodeInitiate() } as const;

/** Every TLS port that is known: those of the connection, and of embedded servers also those between servers. */
export function listenersOf({ home, connection }: Patient): readonly Listener[] {
  const { kafka, cassandra } = connection;
  const kafkaCa = readFileSync(kafka.ca);
  const cassandraCa = readFileSync(cassandra.ca);
  const clients = [
    ...kafka.brokers.map((address, at) => ({
      ...{ id: numbered('kafka-client', at), title: `Kafka ${address}`, ca: kafkaCa, ...endpoint(address), ...KAFKA },
    })),
    ...cassandra.contactPoints.map((address, at) => ({
      ...{ id: numbered('cassandra-client', at), title: `Cassandra ${address}`, ca: cassandraCa },
      ...{ ...endpoint(address), ...CASSANDRA },
    })),
  ];
  const ports = connection.mode === 'embedded' ? readPorts(stackLayout(home).ports) : undefined;
  if (ports === undefined) return clients;
  const { host = '' } = clients[0] ?? {};
  return [
    ...clients,
    { id: 'kafka-broker', title: 'Kafka between brokers', ca: kafkaCa, host, port: ports.kafkaBroker, ...KAFKA },
    { id: 'kafka-controller', title: "Kafka's controller", ca: kafkaCa, host, port: ports.kafkaController, ...KAFKA },
    {
      ...{ id: 'cassandra-internode', title: 'Cassandra between nodes', ca: cassandraCa, host },
      ...{ port: ports.cassandraInternode, ...INTERNODE },
    },
  ];
}

function numbered(id: string, at: number): string {
  return at === 0 ? id : `${id}-${at + 1}`;
}

function endpoint(address: string): Endpoint {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
