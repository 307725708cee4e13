import { join } from 'node:path';
import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { forEachOf } from '../../core/async/for-each.ts';
import { retry, type RetryPolicy } from '../../core/async/retry.ts';
import type { Clock } from '../../core/clock.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import type { BackupFile } from '../manifest/manifest.ts';
import { readShelf } from '../manifest/stored-manifests.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { openContentJournal, type StoredContent } from './content-journal.ts';
import { storeContent, type ContentStoreParts } from './contents.ts';
import { snapshotTag, type SnapshotNode } from './node.ts';

/** What storing a node's snapshot needs. */
export interface StoreSnapshotParts {
  readonly home: Home;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly trusted: TrustedKeys;
  readonly namingKey: Uint8Array;
  readonly recipients: readonly string[];
  readonly node: SnapshotNode;
  /** Files that are under way to the store at once. */
  readonly parallel: number;
  readonly onProgress?: (done: BackupProgress) => void;
}

export interface BackupProgress {
  readonly files: number;
  readonly bytes: number;
}

/** A snapshot of one node, every file of which is stored. */
export interface StoredSnapshot {
  readonly files: readonly BackupFile[];
  /** Bytes that had to be sent. */
  readonly sent: number;
  readonly snapshotAt: string;
}

/**
 * Takes a snapshot of the node on this machine, whose host id is `nodeId`, and stores every file of it that the store
 * lacks, and those whose objects are damaged. However it ends, the snapshot on disk is removed. Throws STORE_… errors and
 * CASSANDRA_REFUSED.
 */
export async function storeSnapshot(
  parts: StoreSnapshotParts,
  id: string,
  keyspaces: readonly string[],
  nodeId: string,
  damaged: ReadonlySet<string>,
): Promise<StoredSnapshot> {
  const { home, store, clock, node, namingKey, recipients, parallel, onProgress } = parts;
  const journal = await openContentJournal(join(home.paths.backup, 'contents.jsonl'), () => knownContents(parts));
  journal.forget(damaged);
  const contentParts: ContentStoreParts = { store, install: home.install, recipients, namingKey, journal };
  const storeAll = async (): Promise<StoredSnapshot> => {
    await node.take(snapshotTag(id), keyspaces);
    const snapshotAt = new Date(clock.now()).toISOString();
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
    return { files, sent, snapshotAt };
  };
  const stored = await storeAll().catch(async (error: unknown) => {
    // The failure itself is what the caller must hear of. What is not cleared now, the next call clears.
    await node.clearAll().catch(() => undefined);
    throw error;
  });
  // By now all is stored: that Cassandra is being started again is no reason to have stored it for nothing.
  await retry(() => node.clearAll(), CLEARING);
  return stored;
}

/** Half a minute: longer than a restart of Cassandra. */
const CLEARING: RetryPolicy = {
  ...{ firstDelayMilliseconds: 500, longestDelayMilliseconds: 5000, attempts: 10 },
  retryable: (error) => asWardlineError(error).retryable,
};

/** What manifests say is stored: the journal of a home that lost its own. */
async function knownContents({ home, store, trusted }: StoreSnapshotParts): Promise<readonly StoredContent[]> {
  const contents: StoredContent[] = [];
  for await (const { manifest } of readShelf({ store, install: home.install, trusted }))
    contents.push(...(manifest?.files ?? []));
  return contents;
}
