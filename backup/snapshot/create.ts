import { createHash } from 'node:crypto';
import type { AuditLog } from '../../audit/event/event.ts';
import type { Clock } from '../../core/clock.ts';
import { MANIFEST_FORMAT, type Manifest } from '../manifest/manifest.ts';
import { signManifest } from '../manifest/signed-manifest.ts';
import { newBackupId, storeNames } from '../naming.ts';
import { snapshotAllNodes, type SnapshotAllParts } from '../nodes/snapshot-all.ts';
import { markUnderWay, waitUntilNoneUnderWay, type Mark } from './under-way.ts';

/** What a backup is made of. The captures are called in the order in which they stand here, each after the one before. */
export interface BackupParts extends SnapshotAllParts {
  readonly audit: Pick<AuditLog, 'append'>;
  readonly captureKafka: () => Promise<Manifest['kafka']>;
  /** The newest checkpoint of the audit log, as a note. */
  readonly captureCheckpoint: () => Promise<string | null>;
  readonly captureCassandra: () => Promise<Manifest['cassandra']>;
  readonly contracts: Manifest['contracts'];
  /** How long to wait for a prune that is under way, in milliseconds. */
  readonly patience: number;
  /**
   * Whether this is a safety copy before a restore, or of tables that a restore has not come to the end of. Asked once
   * the backup's mark stands: a restore that begins later waits for the backup.
   */
  readonly isBeforeRestore?: () => boolean;
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
 * Where the cluster has several nodes, each must do its part: see snapshotAllNodes. However it ends, the snapshot on disk
 * is removed. Throws BACKUP_BUSY where one is under way in this home, NODE_MISSING where a node did not do its part.
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
  const { home, store, clock, signingKey, audit, contracts, recipients } = parts;
  const startedAt = timeOf(clock);
  const beforeRestore = parts.isBeforeRestore?.() ?? false;
  const kafka = await parts.captureKafka();
  const checkpoint = await parts.captureCheckpoint();
  const cassandra = await parts.captureCassandra();
  const { files, sent, snapshotAt } = await snapshotAllNodes(parts, id, cassandra);
  const manifest: Manifest = {
    ...{ format: MANIFEST_FORMAT, id, install: home.install, beforeRestore, recipients: [...recipients] },
    ...{ startedAt, snapshotAt, completedAt: timeOf(clock) },
    ...{ kafka, checkpoint, cassandra, contracts, files: [...files] },
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

function timeOf(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
