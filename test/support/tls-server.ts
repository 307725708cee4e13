import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type PeerCertificate } from 'node:tls';
import type { Connection } from '../../core/connection.ts';
import type { Home } from '../../core/home.ts';
import { authorityPaths, identities, principalAccess } from '../../security/certs/identities.ts';
import { PRINCIPAL_NAMES } from '../../security/principals/names.ts';

export const WELCOME = 'welcome';

/**
 * A real TLS server on loopback with a server certificate of a home, which asks every client for a certificate of that
 * home's authority. It speaks neither Kafka nor CQL: it notes who came, answers `WELCOME` to whatever is said, and hangs up.
 */
export interface TlsServer {
  readonly port: number;
  /** Certificates of the clients that got in, in order. */
  readonly clients: readonly PeerCertificate[];
  close(): Promise<void>;
}

interface TlsServerFiles {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

export function serverFiles(home: Home, name: 'kafka' | 'cassandra'): TlsServerFiles {
  const identity = identities(home).find((each) => each.name === name);
  if (identity === undefined) throw new Error(`no server ${name}`);
  return { certificate: identity.certificate, key: identity.key, ca: authorityPaths(home).trust };
}

export async function startTlsServer(files: TlsServerFiles): Promise<TlsServer> {
  const clients: PeerCertificate[] = [];
  const server = createServer(
    {
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
      ca: readFileSync(files.ca),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
    (socket) => {
      clients.push(socket.getPeerCertificate());
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(WELCOME));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    clients,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A connection block for servers on one loopback port, with the principals of `home`. */
export function connectionTo(home: Home, port: number, host = '127.0.0.1'): Connection {
  const ca = authorityPaths(home).trust;
  return {
    mode: 'embedded',
    kafka: { brokers: [`${host}:${port}`], ca },
    cassandra: { contactPoints: [`${host}:${port}`], localDataCenter: 'datacenter1', ca },
    principals: Object.fromEntries(PRINCIPAL_NAMES.map((name) => [name, principalAccess(home, name)])),
  };
}
