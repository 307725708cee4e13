import { z } from 'zod';
import { BACKUP_ID } from '../naming.ts';

/** The form of manifest that this version writes and reads. */
export const MANIFEST_FORMAT = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();
const offset = z.int().min(0);

/** One file of an SSTable, and the object that holds it encrypted. */
export const backupFileSchema = z.strictObject({
  /** Id of the node (Cassandra's host id) that it is of. */
  node: z.string(),
  keyspace: z.string(),
  table: z.string(),
  /** Within the table's folder, such as `da-3-bti-Data.db`, or in a folder of an index of it. */
  name: z.string().regex(/^(?!.*\.\.)[\w.+-]+(\/[\w.+-]+)?$/),
  bytes: z.int().min(0),
  /** Of the file itself. */
  sha256,
  /** Of the age file that the object is. */
  encryptedBytes: z.int().min(0),
  encryptedSha256: sha256,
  /** See contentName: `storeNames(install).content(object)` is where it stands. */
  object: sha256,
});

const topic = z.strictObject({
  name: z.string(),
  replicationFactor: z.int().min(1),
  /** Only what was set on the topic itself. */
  configuration: z.record(z.string(), z.string()),
  /** Offsets that the partition had when the backup began. */
  partitions: z.array(z.strictObject({ partition: z.int().min(0), low: offset, high: offset })),
});

const group = z.strictObject({
  id: z.string(),
  /** `metadata` holds the incarnation of the partition, as the worker marks it. */
  offsets: z.array(
    z.strictObject({ topic: z.string(), partition: z.int().min(0), offset, metadata: z.string().nullable() }),
  ),
});

/** A keyspace or table with the CQL that makes it, in the order in which they are made. */
const keyspace = z.strictObject({
  name: z.string(),
  cql: z.string(),
  tables: z.array(z.strictObject({ name: z.string(), id: z.string(), cql: z.array(z.string()) })),
});

const node = z.strictObject({
  id: z.string(),
  address: z.string(),
  dataCenter: z.string(),
  rack: z.string(),
  version: z.string(),
  tokens: z.array(z.string()),
});

/**
 * What a backup holds. It is taken in this order, each part being older than the next, so that what a later part misses
 * of an earlier one can be replayed, and never the other way around: committed offsets, audit checkpoint, snapshot.
 */
export const manifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  id: z.string().regex(BACKUP_ID),
  install: z.string(),
  startedAt: time,
  /** When the snapshot of the last node was complete: nothing that was written later is in it. */
  snapshotAt: time,
  completedAt: time,
  /** A safety copy, taken before a restore replaced what stood: `latest` passes it over. */
  beforeRestore: z.boolean(),
  /** Public halves of what it is encrypted to. */
  recipients: z.array(z.string()),
  kafka: z.strictObject({
    topics: z.array(topic),
    groups: z.array(group),
    acls: z.array(
      z.strictObject({
        principal: z.string(),
        resource: z.string(),
        pattern: z.string(),
        operation: z.string(),
        permission: z.string(),
      }),
    ),
  }),
  /** The newest checkpoint of the audit log, as a signed note; null where no notary has signed one. */
  checkpoint: z.string().nullable(),
  cassandra: z.strictObject({
    clusterName: z.string(),
    partitioner: z.string(),
    nodes: z.array(node),
    keyspaces: z.array(keyspace),
    /** Roles, without what they log in with, and what they may do. */
    roles: z.array(z.strictObject({ name: z.string(), superuser: z.boolean(), login: z.boolean() })),
    grants: z.array(z.strictObject({ role: z.string(), resource: z.string(), permission: z.string() })),
  }),
  /** The contract files in force, as they are. */
  contracts: z.array(z.strictObject({ id: z.string(), version: z.string(), document: z.string() })),
  files: z.array(backupFileSchema),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type BackupFile = Readonly<z.infer<typeof backupFileSchema>>;
