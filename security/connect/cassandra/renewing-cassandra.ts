import type { Client } from 'cassandra-driver';
import type { Connection } from '../../../core/connection.ts';
import type { PrincipalName } from '../../principals/names.ts';
import { cassandraClient, type CassandraOptions } from './cassandra.ts';

/** The part of a Cassandra client that long-running work uses. */
export type CassandraWork = Pick<Client, 'batch' | 'execute' | 'eachRow'>;

/** A client that can be replaced by a new one while it is used. */
export interface RenewingCassandra extends CassandraWork {
  /**
   * Connects now and not at the first request, so that whoever watches a process that has nothing to do yet sees its
   * connection. Where it fails, the next request tries again, and says so.
   */
  connect(): void;
  /** Opens new connections, with the credentials that now stand in the files, and closes the old ones when idle. */
  renew(): void;
  shutdown(): Promise<void>;
}

/** How long requests of a replaced client may still take, in milliseconds; longer than its read timeout. */
const GRACE = 30_000;

/**
 * Wraps `cassandraClient` for processes that outlive a rotation of certificates: the driver keeps its connections for as
 * long as they stand, so new credentials need a new client.
 */
export function renewingCassandra(
  connection: Connection,
  principal: PrincipalName,
  options: CassandraOptions = {},
): RenewingCassandra {
  let client = cassandraClient(connection, principal, options);
  const used = new WeakSet<Client>();
  const retired = new Map<Client, NodeJS.Timeout>();
  const shutDown = async (old: Client): Promise<void> => {
    // A client that is shut down while it connects for its first request stays open, and its process with it.
    if (used.has(old)) await old.connect().catch(() => undefined);
    await old.shutdown();
  };
  const close = (old: Client): void => {
    retired.delete(old);
    shutDown(old).catch(() => undefined);
  };
  const inUse = (): Client => {
    used.add(client);
    return client;
  };
  const connect = (): void =>
    void inUse()
      .connect()
      .catch(() => undefined);
  return {
    connect,
    batch: ((...args: Parameters<Client['batch']>) => inUse().batch(...args)) as Client['batch'],
    execute: ((...args: Parameters<Client['execute']>) => inUse().execute(...args)) as Client['execute'],
    eachRow: ((...args: Parameters<Client['eachRow']>) => inUse().eachRow(...args)) as Client['eachRow'],
    renew() {
      const old = client;
      client = cassandraClient(connection, principal, options);
      if (used.has(old)) connect();
      retired.set(
        old,
        setTimeout(() => close(old), GRACE),
      );
    },
    async shutdown() {
      for (const [old, timer] of retired) {
        clearTimeout(timer);
        close(old);
      }
      await shutDown(client);
    },
  };
}
