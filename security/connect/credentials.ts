import type { Connection } from '../../core/connection.ts';
import type { PrincipalName } from '../principals/names.ts';
import { accessOf } from './access.ts';

/** Paths of the files that a TLS client needs. */
interface TlsPaths {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What any Kafka or Cassandra client needs to act as a principal. Holds paths and names, never a secret. */
export interface Credentials {
  readonly principal: PrincipalName;
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly tls: TlsPaths;
    readonly sasl: { readonly mechanism: 'SCRAM-SHA-512'; readonly username: string; readonly passwordFile: string };
  };
  readonly cassandra: {
    readonly contactPoints: readonly string[];
    readonly localDataCenter: string;
    readonly tls: TlsPaths;
    readonly username: string;
    readonly passwordFile: string;
  };
}

/** What `wardline credentials PRINCIPAL` prints. Throws CREDENTIAL_MISSING where the connection does not name the principal. */
export function credentials(connection: Connection, principal: PrincipalName): Credentials {
  const { username, passwordFile, certificate: cert, key } = accessOf(connection, principal);
  return {
    principal,
    kafka: {
      brokers: connection.kafka.brokers,
      tls: { ca: connection.kafka.ca, cert, key },
      sasl: { mechanism: 'SCRAM-SHA-512', username, passwordFile },
    },
    cassandra: {
      contactPoints: connection.cassandra.contactPoints,
      localDataCenter: connection.cassandra.localDataCenter,
      tls: { ca: connection.cassandra.ca, cert, key },
      username,
      passwordFile,
    },
  };
}
