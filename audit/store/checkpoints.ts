import { AUDIT_TABLES } from '../../security/audit-keyspace/tables.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import { blockOf, heldBlocks } from './blocks.ts';
import { int64 } from './events.ts';

/** A signed checkpoint as it is kept: a note, believed by nobody until it is opened. */
export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
}

const TABLE = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.checkpoints}"`;

const SELECT = `SELECT size, note FROM ${TABLE} WHERE epoch = ? AND block = ?`;

/** Keeps a checkpoint. Keeping the same one again changes nothing. */
export async function writeCheckpoint(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  { size, note }: StoredCheckpoint,
): Promise<void> {
  const query = `INSERT INTO ${TABLE} (epoch, block, size, note) VALUES (?, ?, ?, ?)`;
  try {
    await client.execute(query, [epoch, blockOf(size), int64(size), note], { prepare: true, isIdempotent: true });
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** The checkpoints of one block, by size. */
export async function readCheckpoints(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
): Promise<readonly StoredCheckpoint[]> {
  return select(client, SELECT, [epoch, block]);
}

/**
 * The largest checkpoint of an epoch, or undefined where there is none. `size` is one that is likely to be there.
 * Every block of events has checkpoints, so the last block is found without reading those before.
 */
export async function latestCheckpoint(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  size = 0,
): Promise<StoredCheckpoint | undefined> {
  const last = (block: number): Promise<readonly StoredCheckpoint[]> =>
    select(client, `${SELECT} ORDER BY size DESC LIMIT 1`, [epoch, block]);
  const blocks = await heldBlocks(async (block) => (await last(block)).length > 0, blockOf(size));
  return blocks === 0 ? undefined : (await last(blocks - 1))[0];
}

async function select(
  client: Pick<CassandraWork, 'execute'>,
  query: string,
  params: readonly number[],
): Promise<readonly StoredCheckpoint[]> {
  try {
    const result = await client.execute(query, [...params], {
      prepare: true,
      isIdempotent: true,
      fetchSize: 0,
    });
    return result.rows.map((row) => ({ size: Number(row['size']), note: String(row['note']) }));
  } catch (error) {
    throw asCassandraError(error);
  }
}
