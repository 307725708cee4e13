import { dirname, relative } from 'node:path';
import { stringify } from 'yaml';
import type { Connection, PrincipalAccess } from '../core/connection.ts';
import { writeFileAtomic } from '../core/files.ts';
import type { Home } from '../core/home.ts';
import { authorityPaths, principalAccess, type ServerName } from '../security/certs/identities.ts';
import { PRINCIPAL_NAMES } from '../security/principals/names.ts';
import { LOOPBACK, type Ports } from './ports.ts';
import { LOCAL_DATA_CENTER } from './render/cassandra-yaml.ts';

/** How to reach the embedded servers of a home, and as whom. */
export function embeddedConnection(home: Home, ports: Ports): Connection {
  return connectionTo(home, 'embedded', { kafka: [LOOPBACK], cassandra: [LOOPBACK] }, ports);
}

/** How to reach servers that know a home's principals, by the names of their nodes. */
export function connectionTo(
  home: Home,
  mode: Connection['mode'],
  hosts: Readonly<Record<ServerName, readonly string[]>>,
  ports: Ports,
): Connection {
  const ca = authorityPaths(home).trust;
  return {
    mode,
    kafka: { brokers: hosts.kafka.map((host) => `${host}:${ports.kafkaClient}`), ca },
    cassandra: {
      contactPoints: hosts.cassandra.map((host) => `${host}:${ports.cassandraClient}`),
      localDataCenter: LOCAL_DATA_CENTER,
      ca,
    },
    principals: Object.fromEntries(PRINCIPAL_NAMES.map((name) => [name, principalAccess(home, name)])),
  };
}

/** Writes the connection into the home, with paths that count from the file's folder, so that a home can be moved. */
export function writeConnection(home: Home, connection: Connection): void {
  const file = home.paths.connection;
  const local = (path: string): string => relative(dirname(file), path);
  const localAccess = (access: PrincipalAccess): PrincipalAccess => ({
    username: access.username,
    passwordFile: local(access.passwordFile),
    certificate: local(access.certificate),
    key: local(access.key),
    signingKey: local(access.signingKey),
    keyStore: local(access.keyStore),
    keyStorePassphrase: local(access.keyStorePassphrase),
  });
  const { kafka, cassandra, principals } = connection;
  const block: Connection = {
    ...connection,
    kafka: { ...kafka, ca: local(kafka.ca) },
    cassandra: { ...cassandra, ca: local(cassandra.ca) },
    principals: Object.fromEntries(Object.entries(principals).map(([name, access]) => [name, localAccess(access)])),
  };
  const comment =
    '# Written by `wardline up`. The same block can point to servers that Wardline did not start: see wardline.yaml.\n';
  writeFileAtomic(file, comment + stringify({ connection: block }));
}
