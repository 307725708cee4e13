import { AUDIT_TABLES, TILES_PER_PART } from '../../security/audit-keyspace/tables.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import type { Tile } from '../merkle/tiles.ts';

const TABLE = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.tiles}"`;

/** Keeps a full tile. Keeping the same one again changes nothing. */
export async function writeTile(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  { level, index, hashes }: Tile,
): Promise<void> {
  const query = `INSERT INTO ${TABLE} (epoch, level, part, tile, hashes) VALUES (?, ?, ?, ?, ?)`;
  const params = [epoch, level, Math.floor(index / TILES_PER_PART), index, hashes];
  try {
    await client.execute(query, params, { prepare: true, isIdempotent: true });
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** A full tile's 256 hashes, or undefined where it is not kept. */
export async function readTile(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  level: number,
  index: number,
): Promise<Buffer | undefined> {
  const query = `SELECT hashes FROM ${TABLE} WHERE epoch = ? AND level = ? AND part = ? AND tile = ?`;
  const params = [epoch, level, Math.floor(index / TILES_PER_PART), index];
  try {
    const { rows } = await client.execute(query, params, { prepare: true, isIdempotent: true });
    return (rows[0]?.['hashes'] as Buffer | null | undefined) ?? undefined;
  } catch (error) {
    throw asCassandraError(error);
  }
}
