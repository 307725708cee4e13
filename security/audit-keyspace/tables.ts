import { AUDIT_KEYSPACE } from '../principals/names.ts';

/**
 * The tables of the audit log. They are made by break-glass, so that nobody who works with them owns them; the notary
 * alone may write. An epoch is one life of the audit topic: a log of its own, whose sequence numbers are Kafka's offsets.
 */
export const AUDIT_TABLES = {
  /** Every event at its place; `message` is the exact message of the topic, the other columns are read out of it. */
  events: 'events',
  /** The epochs of an installation, with the hash of each one's first leaf, by which its topic is known again. */
  epochs: 'epochs',
  /** Signed tree heads, as notes. */
  checkpoints: 'checkpoints',
  /** Hashes of the Merkle tree: 256 of a level to a tile, at every eighth level. */
  tiles: 'tiles',
} as const;

/** Events of one partition of the table, and of one partition of `checkpoints`: some 16 MB at 1 KB an event. */
export const EVENTS_PER_BLOCK = 16_384;

/** Tiles of one partition: 2 MB of hashes. */
export const TILES_PER_PART = 256;

/**
 * Columns that have an index. Time has none: it would cost a quarter of the notary's throughput, and the topic knows from
 * which offset on events of a time can stand.
 */
const INDEXED = ['actor', 'action', 'object_type', 'object_id', 'outcome', 'trace_id'] as const;

const name = (table: keyof typeof AUDIT_TABLES): string => `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES[table]}"`;

/** CQL that makes the tables and their indexes where they are missing; the keyspace must be there. */
export const AUDIT_TABLE_STATEMENTS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ${name('events')} (epoch int, block int, sequence bigint, message blob, actor text, action text, object_type text, object_id text, outcome text, trace_id text, time timestamp, PRIMARY KEY ((epoch, block), sequence))`,
  ...INDEXED.map(
    (column) => `CREATE INDEX IF NOT EXISTS "events_${column}" ON ${name('events')} (${column}) USING 'sai'`,
  ),
  `CREATE TABLE IF NOT EXISTS ${name('epochs')} (install text, epoch int, first_leaf blob, declared_at bigint, PRIMARY KEY (install, epoch))`,
  `CREATE TABLE IF NOT EXISTS ${name('checkpoints')} (epoch int, block int, size bigint, note text, PRIMARY KEY ((epoch, block), size))`,
  `CREATE TABLE IF NOT EXISTS ${name('tiles')} (epoch int, level int, part int, tile int, hashes blob, PRIMARY KEY ((epoch, level, part), tile))`,
];
