import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { crc32 } from 'node:zlib';

/** A server that objects does so within a few milliseconds. */
const SETTLE_MILLISECONDS = 700;
const TIMEOUT_MILLISECONDS = 5000;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What came of a connection. */
export interface Outcome {
  /** Whether anybody listens there: that nobody does is no refusal. */
  readonly reached: boolean;
  /** Whether the connection stood to the end; `answered` says that the server also sent something. */
  readonly admitted: boolean;
  readonly answer: Buffer;
  readonly reason: string;
}

/** What happens to a TLS client: TLS 1.3 servers refuse a client certificate only after the handshake, so it waits a moment. */
export function tlsOutcome({ host, port }: Endpoint, options: ConnectionOptions, request?: Buffer): Promise<Outcome> {
  const socket = connectTls({ host, port, ...options });
  return outcome(socket, 'secureConnect', request);
}

/** What happens to a client that speaks no TLS. */
export function plainOutcome({ host, port }: Endpoint, request: Buffer): Promise<Outcome> {
  return outcome(connectTcp({ host, port }), 'connect', request);
}

/** Whether anything at all listens there. */
export function isReached(endpoint: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ ...endpoint, timeout: TIMEOUT_MILLISECONDS });
    const finish = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
  });
}

function outcome(socket: Socket, established: string, request: Buffer | undefined): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let reached = false;
  return new Promise((resolve) => {
    const finish = (admitted: boolean, reason: string): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve({ reached, admitted, answer: Buffer.concat(chunks), reason });
    };
    const deadline = setTimeout(() => finish(false, 'no connection in time'), TIMEOUT_MILLISECONDS);
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
    socket.once('error', (error) => finish(false, error.message));
    socket.once('close', () => finish(false, 'closed by the server'));
    socket.once('connect', () => (reached = true));
    socket.once(established, () => {
      if (request !== undefined) socket.write(request);
      setTimeout(() => finish(true, 'stands'), SETTLE_MILLISECONDS);
    });
  });
}

/** Kafka's ApiVersions request, version 0: allowed before a login. */
export function kafkaApiVersions(): Buffer {
  return kafkaRequest(18, Buffer.alloc(0));
}

/** Kafka's Metadata request for all topics, version 0: needs a login. */
export function kafkaMetadata(): Buffer {
  return kafkaRequest(3, Buffer.alloc(4));
}

/** A request's header (version 1): length, key, version 0, correlation id, no client id. */
function kafkaRequest(key: number, body: Buffer): Buffer {
  const header = Buffer.alloc(14);
  header.writeInt32BE(10 + body.length, 0);
  header.writeInt16BE(key, 4);
  header.writeInt32BE(1, 8);
  header.writeInt16BE(-1, 12);
  return Buffer.concat([header, body]);
}

/** An OPTIONS frame of the CQL native protocol, version 4: the first thing a driver says. */
export function cqlOptions(): Buffer {
  return Buffer.from([0x04, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00]);
}

/** A STARTUP frame of version 4: a server that asks for a login answers with AUTHENTICATE, another with READY. */
export function cqlStartup(): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const body = Buffer.concat([Buffer.from([0, 1]), text('CQL_VERSION'), text('3.0.0')]);
  const header = Buffer.from([0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, body.length]);
  return Buffer.concat([header, body]);
}

/** What Cassandra's messages begin with, and what its checksums begin with. */
const INTERNODE_MAGIC = Buffer.from([0xca, 0x55, 0x2d, 0xfa]);
/** Messaging version of Cassandra 4 and later. */
const INTERNODE_VERSION = 12;
const SMALL_MESSAGES = 2;

/** The first message of Cassandra's internode protocol: a node at 127.0.0.1 asks for a connection for small messages. */
export function internodeInitiate(): Buffer {
  const flags = Buffer.from([INTERNODE_VERSION, INTERNODE_VERSION, INTERNODE_VERSION, SMALL_MESSAGES]);
  const from = Buffer.from([6, 127, 0, 0, 1, 0x1b, 0x58]);
  const body = Buffer.concat([INTERNODE_MAGIC, flags, from]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(Buffer.concat([Buffer.from(INTERNODE_MAGIC).reverse(), body])));
  return Buffer.concat([body, checksum]);
}
