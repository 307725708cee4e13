import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';

/** The files of one side of a TLS connection. */
export interface TlsSide {
  readonly certificate: string;
  readonly key: string;
}

export interface PeerProxyOptions {
  /** The port of the server behind it, on this machine. */
  readonly target: number;
  readonly ca: string;
  /** What it shows to clients: the server's own. */
  readonly server: TlsSide;
  /** What it shows to the server: read again for each connection. */
  readonly client: TlsSide;
}

/** A proxy between a client and a server that sees whose certificate a client shows: TLS ends and begins again in it. */
export interface PeerProxy {
  readonly port: number;
  /** Serial numbers of the certificates of all connections so far, in order. */
  readonly seen: readonly string[];
  /** Those of the connections that now stand. */
  readonly standing: () => readonly string[];
  close(): Promise<void>;
}

export async function peerProxy({ target, ca, server, client }: PeerProxyOptions): Promise<PeerProxy> {
  const seen: string[] = [];
  const standing = new Map<TLSSocket, string>();
  const trust = { ca: readFileSync(ca), rejectUnauthorized: true };
  const listener = createServer({ ...trust, ...materialOf(server), requestCert: true }, (downstream) => {
    const serial = downstream.getPeerCertificate().serialNumber;
    seen.push(serial);
    standing.set(downstream, serial);
    const upstream = connect({ host: '127.0.0.1', port: target, ...trust, ...materialOf(client) });
    downstream.pipe(upstream).pipe(downstream);
    for (const [socket, other] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
    downstream.on('close', () => standing.delete(downstream));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    seen,
    standing: () => [...standing.values()],
    close: () =>
      new Promise((resolve) => {
        for (const socket of standing.keys()) socket.destroy();
        listener.close(() => resolve());
      }),
  };
}

function materialOf({ certificate, key }: TlsSide): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}
