import { AUDIT_KEYSPACE } from '../principals/names.ts';

/**
 * The tables of the audit log. They are made by break-glass, so that nobody who works with them owns them; the notary
 * alone may write. An epoch is one life of the audit topic: a log of its own, whose sequence numbers are Kafka's offsets.
 */
export const AUDIT_TABLES = {
  /** Every event at its place: the exact message of the topic. */
  events: 'events',
  /** Of every 256 events, marks of what can be asked for: where to look for an event. */
  summaries: 'summaries',
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

/** Events that one summary tells of. */
export const EVENTS_PER_SUMMARY = 256;

const name = (table: keyof typeof AUDIT_TABLES): string => `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES[table]}"`;

/** CQL that makes the tables where they are missing; the keyspace must be there. */
export const AUDIT_TABLE_STATEMENTS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ${name('events')} (epoch int, block int, sequence bigint, message blob, PRIMARY KEY ((epoch, block), sequence))`,
  `CREATE TABLE IF NOT EXISTS ${name('summaries')} (epoch int, block int, first bigint, earliest timestamp, latest timestamp, actor blob, action blob, object_type blob, object_id blob, outcome blob, trace_id blob, PRIMARY KEY ((epoch, block), first))`,
  `CREATE TABLE IF NOT EXISTS ${name('epochs')} (install text, epoch int, first_leaf blob, declared_at bigint, PRIMARY KEY (install, epoch))`,
  `CREATE TABLE IF NOT EXISTS ${name('checkpoints')} (epoch int, block int, size bigint, note text, PRIMARY KEY ((epoch, block), size))`,
  `CREATE TABLE IF NOT EXISTS ${name('tiles')} (epoch int, level int, part int, tile int, hashes blob, PRIMARY KEY ((epoch, level, part), tile))`,
];
