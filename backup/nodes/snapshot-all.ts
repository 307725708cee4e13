import { WardlineError } from '../../core/errors/errors.ts';
import type { SigningKey } from '../../audit/signature/signing-key.ts';
import { readDamaged, writeDamaged } from '../manifest/damaged.ts';
import type { BackupFile, Manifest } from '../manifest/manifest.ts';
import { storeSnapshot, type StoredSnapshot, type StoreSnapshotParts } from '../snapshot/store-snapshot.ts';
import { askNodes } from './ask-nodes.ts';
import { headOf, SNAPSHOT_PART, SNAPSHOT_REQUEST, type SnapshotPart, type SnapshotRequest } from './documents.ts';

export interface SnapshotAllParts extends StoreSnapshotParts {
  readonly signingKey: SigningKey;
  /** How long the other nodes have for their parts, in milliseconds. */
  readonly nodePatience: number;
  /** Told of the nodes, by host id, whose parts are still waited for. */
  readonly onWaitingForNodes?: ((nodes: readonly string[]) => void) | undefined;
}

/**
 * Stores a snapshot of every node of the cluster: of that on this machine itself, of each other by asking its host, where
 * `takePart` answers. Objects that were damaged and are stored again are forgotten to have been. Throws NODE_MISSING
 * where a node does not answer in time, and what storeSnapshot and askNodes throw: then nothing is to be believed of it.
 */
export async function snapshotAllNodes(
  parts: SnapshotAllParts,
  id: string,
  { nodes, keyspaces }: Manifest['cassandra'],
): Promise<StoredSnapshot> {
  const damaged = readDamaged(parts.home);
  const ids = nodes.map((node) => node.id);
  const own = await parts.node.idAmong(ids);
  const others = ids.filter((node) => node !== own);
  const names = keyspaces.map(({ name }) => name);
  const storeOwn = async (): Promise<readonly StoredSnapshot[]> =>
    own === undefined ? [] : [await storeSnapshot(parts, id, names, own, damaged)];
  const snapshots =
    others.length === 0 ? await storeOwn() : await withOthers(parts, { id, others, names, damaged }, storeOwn);
  if (snapshots.length === 0)
    throw new WardlineError('CASSANDRA_REFUSED', 'Cassandra names no node that a snapshot could be of');
  const files = snapshots.flatMap((snapshot) => snapshot.files).toSorted(byPlace);
  // What was damaged and is needed was stored again.
  if (damaged.size > 0) writeDamaged(parts.home, without(damaged, files));
  return {
    files,
    sent: snapshots.reduce((sum, { sent }) => sum + sent, 0),
    snapshotAt: snapshots
      .map(({ snapshotAt }) => snapshotAt)
      .toSorted()
      .at(-1) as string,
  };
}

interface Asked {
  readonly id: string;
  readonly others: readonly string[];
  readonly names: readonly string[];
  readonly damaged: ReadonlySet<string>;
}

async function withOthers(
  parts: SnapshotAllParts,
  { id, others, names, damaged }: Asked,
  storeOwn: () => Promise<readonly StoredSnapshot[]>,
): Promise<readonly StoredSnapshot[]> {
  const { home, store, clock, trusted, signingKey, recipients, nodePatience, onWaitingForNodes } = parts;
  const request: SnapshotRequest = {
    ...headOf(home.install, id),
    nodes: [...others],
    until: new Date(clock.now() + nodePatience).toISOString(),
    keyspaces: [...names],
    recipients: recipients.toSorted(),
    damaged: [...damaged].sort(),
  };
  const { own, answers } = await askNodes(
    {
      ...{ store, install: home.install, clock, trusted, key: signingKey },
      onWaiting: (nodes) => onWaitingForNodes?.(nodes),
    },
    { request: SNAPSHOT_REQUEST, answer: SNAPSHOT_PART },
    request,
    storeOwn,
  );
  for (const answer of answers) requireOwnFiles(answer, names);
  return [...own, ...answers];
}

/** A node speaks for itself, and for what it was asked for. */
function requireOwnFiles({ node, files }: SnapshotPart, keyspaces: readonly string[]): void {
  const foreign = files.find((file) => file.node !== node || !keyspaces.includes(file.keyspace));
  if (foreign === undefined) return;
  throw new WardlineError(
    'BACKUP_DAMAGED',
    `the part of node ${node} names ${foreign.keyspace}.${foreign.table} of node ${foreign.node}, which it was not asked for`,
  );
}

function without(damaged: ReadonlySet<string>, files: readonly BackupFile[]): ReadonlySet<string> {
  const stored = new Set(files.map(({ object }) => object));
  return new Set([...damaged].filter((object) => !stored.has(object)));
}

function byPlace(a: BackupFile, b: BackupFile): number {
  return placeOf(a) < placeOf(b) ? -1 : 1;
}

function placeOf({ node, keyspace, table, name }: BackupFile): string {
  return `${node}/${keyspace}/${table}/${name}`;
}
