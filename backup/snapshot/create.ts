import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { AuditLog } from '../../audit/event/event.ts';
import type { SigningKey, TrustedKeys } from '../../audit/signature/signing-key.ts';
import { forEachOf } from '../../core/async/for-each.ts';
import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { readDamaged, writeDamaged } from '../manifest/damaged.ts';
import { MANIFEST_FORMAT, type BackupFile, type Manifest } from '../manifest/manifest.ts';
import { signManifest } from '../manifest/signed-manifest.ts';
import { readShelf } from '../manifest/stored-manifests.ts';
import { newBackupId, storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { openContentJournal, type StoredContent } from './content-journal.ts';
import { storeContent, type ContentStoreParts } from './contents.ts';
import { snapshotTag, type SnapshotNode } from './node.ts';
import { markUnderWay, waitUntilNoneUnderWay, type Mark } from './under-way.ts';

/** What a backup is made of. The captures are called in the order in which they stand here, each after the one before. */
export interface BackupParts {
  readonly home: Home;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly signingKey: SigningKey;
  readonly trusted: TrustedKeys;
  readonly namingKey: Uint8Array;
  readonly recipients: readonly string[];
  readonly audit: Pick<AuditLog, 'append'>;
  readonly captureKafka: () => Promise<Manifest['kafka']>;
  /** The newest checkpoint of the audit log, as a note. */
  readonly captureCheckpoint: () => Promise<string | null>;
  readonly captureCassandra: () => Promise<Manifest['cassandra']>;
  readonly contracts: Manifest['contracts'];
  readonly node: SnapshotNode;
  /** Files that are under way to the store at once. */
  readonly parallel: number;
  /** How long to wait for a prune that is under way, in milliseconds. */
  readonly patience: number;
  /** A safety copy before a restore. */
  readonly beforeRestore?: boolean;
  readonly onProgress?: (done: BackupProgress) => void;
}

export interface BackupProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface BackupSummary {
  readonly id: string;
  readonly files: number;
  /** Bytes of all files, and bytes that had to be sent. */
  readonly bytes: number;
  readonly sent: number;
  readonly manifest: Manifest;
  /** SHA-256 of the manifest as it is stored. */
  readonly manifestSha256: string;
}

/**
 * Makes a backup: committed offsets, audit checkpoint, snapshot, in this order; then every file that the store lacks; the
 * manifest last, and what is said of it on the audit log. Until the manifest stands there is no backup, and whatever a
 * killed call left counts for nothing but speed: objects that this machine knows to have stored are not sent again.
 * However it ends, the snapshot on disk is removed. Throws BACKUP_BUSY where one is under way in this home.
 */
export async function createBackup(parts: BackupParts): Promise<BackupSummary> {
  const { home, clock, node, audit } = parts;
  const id = newBackupId(clock.now());
  const marks = { store: parts.store, home, clock };
  try {
    return await markUnderWay(marks, 'backup', id, async (mark) => {
      // Of a call that was killed.
      await node.clearAll();
      await waitUntilNoneUnderWay(marks, 'prune', parts.patience);
      return await makeBackup(parts, id, mark);
    });
  } catch (error) {
    await audit
      .append({ action: 'backup.create', object: { type: 'backup', id }, outcome: 'failure' })
      // The failure itself is what the caller must hear of.
      .catch(() => undefined);
    throw error;
  }
}

async function makeBackup(parts: BackupParts, id: string, mark: Mark): Promise<BackupSummary> {
  const { home, store, clock, signingKey, audit, contracts, recipients, beforeRestore = false } = parts;
  const startedAt = timeOf(clock);
  const kafka = await parts.captureKafka();
  const checkpoint = await parts.captureCheckpoint();
  const cassandra = await parts.captureCassandra();
  const keyspaces = cassandra.keyspaces.map(({ name }) => name);
  const { files, sent, snapshotAt } = await storeSnapshot(parts, id, keyspaces, onlyNode(cassandra));
  const manifest: Manifest = {
    ...{ format: MANIFEST_FORMAT, id, install: home.install, beforeRestore, recipients: [...recipients] },
    ...{ startedAt, snapshotAt, completedAt: timeOf(clock) },
    ...{ kafka, checkpoint, cassandra, contracts, files },
  };
  const signed = signManifest(manifest, signingKey);
  mark.requireUnbroken();
  await store.put(storeNames(home.install).manifest(id), Buffer.from(signed));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const manifestSha256 = createHash('sha256').update(signed).digest('hex');
  await audit.append({
    action: 'backup.create',
    object: { type: 'backup', id },
    outcome: 'success',
    counts: { files: files.length, bytes, sent },
    details: { manifest_sha256: manifestSha256, before_restore: beforeRestore },
  });
  return { id, files: files.length, bytes, sent, manifest, manifestSha256 };
}

interface StoredSnapshot {
  readonly files: BackupFile[];
  readonly sent: number;
  readonly snapshotAt: string;
}

async function storeSnapshot(
  parts: BackupParts,
  id: string,
  keyspaces: readonly string[],
  nodeId: string,
): Promise<StoredSnapshot> {
  const { home, store, clock, node, namingKey, recipients, parallel, onProgress } = parts;
  const damaged = readDamaged(home);
  const journal = await openContentJournal(join(home.paths.backup, 'contents.jsonl'), () => knownContents(parts));
  journal.forget(damaged);
  const contentParts: ContentStoreParts = { store, install: home.install, recipients, namingKey, journal };
  try {
    await node.take(snapshotTag(id), keyspaces);
    const snapshotAt = timeOf(clock);
    const files: BackupFile[] = [];
    const done = { files: 0, bytes: 0 };
    let sent = 0;
    await forEachOf(node.files(snapshotTag(id), keyspaces), parallel, async (file) => {
      const {
        object,
        sha256,
        encryptedBytes,
        encryptedSha256,
        sent: bytesSent,
      } = await storeContent(file, contentParts);
      const { keyspace, table, name, bytes } = file;
      files.push({ node: nodeId, keyspace, table, name, bytes, sha256, encryptedBytes, encryptedSha256, object });
      sent += bytesSent;
      done.files += 1;
      done.bytes += bytes;
      onProgress?.(done);
    });
    journal.compact();
    // What was damaged and is needed was stored again.
    if (damaged.size > 0) writeDamaged(home, without(damaged, files));
    return { files: files.toSorted(byPlace), sent, snapshotAt };
  } finally {
    await node.clearAll();
  }
}

function without(damaged: ReadonlySet<string>, files: readonly BackupFile[]): ReadonlySet<string> {
  const stored = new Set(files.map(({ object }) => object));
  return new Set([...damaged].filter((object) => !stored.has(object)));
}

/** What manifests say is stored: the journal of a home that lost its own. */
async function knownContents({ home, store, trusted }: BackupParts): Promise<readonly StoredContent[]> {
  const contents: StoredContent[] = [];
  for await (const { manifest } of readShelf({ store, install: home.install, trusted }))
    contents.push(...(manifest?.files ?? []));
  return contents;
}

function byPlace(a: BackupFile, b: BackupFile): number {
  return placeOf(a) < placeOf(b) ? -1 : 1;
}

function placeOf({ node, keyspace, table, name }: BackupFile): string {
  return `${node}/${keyspace}/${table}/${name}`;
}

function onlyNode({ nodes }: Manifest['cassandra']): string {
  const [node, ...others] = nodes;
  if (node !== undefined && others.length === 0) return node.id;
  throw new WardlineError('CASSANDRA_REFUSED', `the cluster has ${nodes.length} nodes; this backup would hold one`);
}

function timeOf(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
