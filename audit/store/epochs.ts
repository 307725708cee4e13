import { AUDIT_TABLES } from '../../security/audit-keyspace/tables.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import { int64 } from './events.ts';

/** One life of the audit topic. */
export interface Epoch {
  readonly epoch: number;
  /** RFC 6962 hash of the topic's first message: a topic that begins otherwise is another one. */
  readonly firstLeaf: Buffer;
  /** Where the event stands that opened the epoch; undefined for the first, which nothing went before. */
  readonly declaredAt: number | undefined;
}

const TABLE = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.epochs}"`;

/** The name of an epoch's log, and of the key that signs its checkpoints: the `origin` of C2SP tlog-checkpoint. */
export function originOf(install: string, epoch: number): string {
  return `${install}/audit/${epoch}`;
}

/** The epoch that an origin names, or undefined where it is not one of this installation. */
export function epochOfOrigin(install: string, origin: string): number | undefined {
  const prefix = `${install}/audit/`;
  const number = origin.startsWith(prefix) ? origin.slice(prefix.length) : '';
  return /^[1-9]\d{0,8}$/.test(number) ? Number(number) : undefined;
}

/** Every epoch of an installation, from the first on. */
export async function readEpochs(client: Pick<CassandraWork, 'execute'>, install: string): Promise<readonly Epoch[]> {
  const query = `SELECT epoch, first_leaf, declared_at FROM ${TABLE} WHERE install = ?`;
  try {
    const { rows } = await client.execute(query, [install], { prepare: true, isIdempotent: true });
    return rows.map((row) => ({
      epoch: Number(row['epoch']),
      firstLeaf: (row['first_leaf'] as Buffer | null) ?? Buffer.alloc(0),
      declaredAt: row['declared_at'] === null ? undefined : Number(row['declared_at']),
    }));
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** Puts an epoch on the list. Doing so again changes nothing. */
export async function writeEpoch(
  client: Pick<CassandraWork, 'execute'>,
  install: string,
  { epoch, firstLeaf, declaredAt }: Epoch,
): Promise<void> {
  const query = `INSERT INTO ${TABLE} (install, epoch, first_leaf, declared_at) VALUES (?, ?, ?, ?)`;
  const params = [install, epoch, firstLeaf, declaredAt === undefined ? null : int64(declaredAt)];
  try {
    await client.execute(query, params, { prepare: true, isIdempotent: true });
  } catch (error) {
    throw asCassandraError(error);
  }
}
