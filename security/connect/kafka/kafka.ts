import { isIP } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import kafkajs, {
  type ISocketFactory,
  type Kafka,
  type logCreator,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs';
import type { Connection, PrincipalAccess } from '../../../core/connection.ts';
import type { PrincipalName } from '../../principals/names.ts';
import { accessOf, readPassword } from '../access.ts';
import { stopIdleTimer } from './kafkajs-timer.ts';
import { steadyLookup } from './steady-lookup.ts';
import { tlsContext } from '../material/tls-context.ts';

export { asKafkaError } from './kafka-errors.ts';

stopIdleTimer();

const CONNECTION_TIMEOUT = 5000;
/**
 * Of that, until the other machine answers at all, which no load of its processes delays: one that is gone with its
 * address says nothing, and each attempt would wait for the whole.
 */
const REACH_TIMEOUT = 2000;
const AUTHENTICATION_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const KEEP_ALIVE_DELAY = 60_000;
const ADDRESSES = steadyLookup();

/** How long kafkajs tries by itself: a command says soon what is wrong, a service rides out a restart of the broker. */
const PATIENCE = {
  command: { initialRetryTime: 200, maxRetryTime: 1000, retries: 4 },
  service: { initialRetryTime: 200, maxRetryTime: 3000, retries: 12 },
} as const satisfies Record<string, RetryOptions>;

export type KafkaLog = (level: 'error' | 'warn', message: string, details: Readonly<Record<string, unknown>>) => void;

export interface KafkaOptions {
  /** Shown in the broker's logs; `wardline-<principal>` unless told otherwise. */
  readonly clientId?: string;
  readonly patience?: keyof typeof PATIENCE;
  /** Gets what kafkajs would print. Silent without one: nothing ever goes to standard output. */
  readonly log?: KafkaLog;
}

/**
 * A kafkajs client that acts as `principal`: mutual TLS (only our authorities, server names checked) and SCRAM-SHA-512.
 * Certificate, key, authorities and password are read from their files again for each new connection, so a rotation
 * needs no new client. Throws CREDENTIAL_MISSING or CERTIFICATE_INVALID at once; connecting happens later.
 */
export function kafkaClient(connection: Connection, principal: PrincipalName, options: KafkaOptions = {}): Kafka {
  const access = accessOf(connection, principal);
  const { log } = options;
  return new kafkajs.Kafka({
    clientId: options.clientId ?? `wardline-${principal}`,
    brokers: [...connection.kafka.brokers],
    ssl: true,
    sasl: scram(access),
    socketFactory: socketFactory(connection.kafka.ca, access),
    connectionTimeout: CONNECTION_TIMEOUT,
    authenticationTimeout: AUTHENTICATION_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    enforceRequestTimeout: true,
    retry: PATIENCE[options.patience ?? 'command'],
    logLevel: log === undefined ? kafkajs.logLevel.NOTHING : kafkajs.logLevel.WARN,
    logCreator: logTo(log),
  });
}

/** kafkajs reads `password` at each login; this one comes from the file each time, and stays in no object. */
function scram(access: PrincipalAccess): SASLOptions {
  readPassword(access);
  return {
    mechanism: 'scram-sha-512',
    username: access.username,
    get password() {
      return readPassword(access);
    },
  };
}

function socketFactory(ca: string, access: PrincipalAccess): ISocketFactory {
  const context = tlsContext({ ca, certificate: access.certificate, key: access.key });
  return ({ host, port, onConnect }) => {
    // A server name indication cannot hold an address (RFC 6066 section 3); Node checks the certificate against `host` then.
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = tlsConnect(
      { host, port, lookup: ADDRESSES, secureContext: context(), rejectUnauthorized: true, ...servername },
      onConnect,
    );
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
    const giveUp = (): void => {
      if (socket.connecting)
        socket.destroy(Object.assign(new Error(`connect ETIMEDOUT ${host}:${port}`), { code: 'ETIMEDOUT' }));
    };
    // After what waits to be looked at: it may be this process that was busy, and the answer is there.
    const timer = setTimeout(() => setImmediate(giveUp), REACH_TIMEOUT);
    for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
    return socket;
  };
}

function logTo(log: KafkaLog | undefined): logCreator {
  return () => (entry) => {
    const { message, timestamp: _timestamp, ...details } = entry.log;
    log?.(entry.level === kafkajs.logLevel.ERROR ? 'error' : 'warn', message, {
      namespace: entry.namespace,
      ...details,
    });
  };
}
