import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { Client, policies, types } from 'cassandra-driver';
import type { Connection, PrincipalAccess } from '../../../core/connection.ts';
import type { PrincipalName } from '../../principals/names.ts';
import { accessOf } from '../access.ts';
import { FilePasswordProvider } from '../file-password.ts';
import { tlsContext } from '../material/tls-context.ts';

export { asCassandraError } from './cassandra-errors.ts';

const CONNECT_TIMEOUT = 5000;
/** Longer than the servers' own time limits, so that they answer first. */
const READ_TIMEOUT = 12_000;
const HEARTBEAT_INTERVAL = 15_000;
const RECONNECT_FIRST_DELAY = 200;
const RECONNECT_LONGEST_DELAY = 5000;
const CONNECTIONS_PER_HOST = 2;
const REQUESTS_PER_CONNECTION = 2048;

export interface CassandraOptions {
  readonly keyspace?: string;
  /** Connections to each node; two unless told otherwise. */
  readonly connectionsPerHost?: number;
  /** Milliseconds after which an unanswered request fails; 12 s unless told otherwise. */
  readonly readTimeout?: number;
}

/**
 * A Cassandra client that acts as `principal`: mutual TLS (only our authorities, server names checked) and a password.
 * Statements are at LOCAL_QUORUM (conditional ones at LOCAL_SERIAL) unless they say otherwise; those with parameters
 * need `prepare: true`. Certificate, key,
 * authorities and password are read from their files again for each new connection.
 * Requests beyond 2048 in flight on a connection fail rather than queue: the caller bounds them.
 * Throws CREDENTIAL_MISSING or CERTIFICATE_INVALID at once; connecting happens later.
 */
export function cassandraClient(
  connection: Connection,
  principal: PrincipalName,
  options: CassandraOptions = {},
): Client {
  const access = accessOf(connection, principal);
  const { contactPoints, localDataCenter, ca } = connection.cassandra;
  return new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(options.keyspace === undefined ? {} : { keyspace: options.keyspace }),
    authProvider: new FilePasswordProvider(access),
    sslOptions: sslOptions(ca, access, contactPoints),
    // Nodes other than the contact points are found without their port.
    protocolOptions: { port: Number(contactPoints[0]?.split(':')[1]) },
    queryOptions: {
      consistency: types.consistencies.localQuorum,
      serialConsistency: types.consistencies.localSerial,
    },
    pooling: {
      coreConnectionsPerHost: {
        [types.distance.local]: options.connectionsPerHost ?? CONNECTIONS_PER_HOST,
        [types.distance.remote]: 1,
      },
      maxRequestsPerConnection: REQUESTS_PER_CONNECTION,
      heartBeatInterval: HEARTBEAT_INTERVAL,
      warmup: true,
    },
    socketOptions: { connectTimeout: CONNECT_TIMEOUT, readTimeout: options.readTimeout ?? READ_TIMEOUT },
    policies: {
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(
        RECONNECT_FIRST_DELAY,
        RECONNECT_LONGEST_DELAY,
        false,
      ),
    },
  });
}

/** The driver copies these options for each connection it makes, and so asks for `secureContext` anew each time. */
function sslOptions(ca: string, access: PrincipalAccess, contactPoints: readonly string[]): ConnectionOptions {
  const context = tlsContext({ ca, certificate: access.certificate, key: access.key });
  const names = contactPoints.map((point) => point.replace(/:\d+$/, '')).filter((host) => isIP(host) === 0);
  return {
    rejectUnauthorized: true,
    checkServerIdentity: (host, certificate) => serverIdentityFault(host, certificate, names),
    get secureContext() {
      return context();
    },
  };
}

/**
 * The driver turns every contact point into an address before it connects, so a certificate that holds names only can
 * be checked against no address: then it must hold a name that the connection block gives.
 */
function serverIdentityFault(host: string, certificate: PeerCertificate, names: readonly string[]): Error | undefined {
  const fault = checkServerIdentity(host, certificate);
  return names.some((name) => checkServerIdentity(name, certificate) === undefined) ? undefined : fault;
}
