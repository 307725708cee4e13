import { existsSync } from 'node:fs';
import { opendir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Home } from '../../core/home.ts';
import { hasCassandra, nodetool, stackLayout } from '../../stack/index.ts';

/** A file of a snapshot, as it lies on the node's disk. */
export interface SnapshotFile {
  readonly keyspace: string;
  readonly table: string;
  /** Within the table's folder. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /**
   * Tells this content of a file from any other that the disk ever held: a snapshot is a hard link, so it has the inode
   * of the file that it is of, and what is written anew has another or a later time.
   */
  readonly identity: string;
}

/** A node of Cassandra whose files are on this machine. */
export interface SnapshotNode {
  /** Which of these nodes it is, by Cassandra's host id; undefined where this machine has none of them. */
  idAmong(nodes: readonly string[]): Promise<string | undefined>;
  /** Flushes the keyspaces and takes a snapshot of them, all at one call. */
  take(tag: string, keyspaces: readonly string[]): Promise<void>;
  files(tag: string, keyspaces: readonly string[]): AsyncIterable<SnapshotFile>;
  /** Removes every snapshot of ours: whatever took it, nothing of it is used any more. */
  clearAll(): Promise<void>;
}

/** Every snapshot of ours is called so, and no other is. */
const TAG_PREFIX = 'wardline-';
/** Cassandra removes it by itself after this, should nobody live to. */
const LONGEST_LIFE = '24h';
/** Cassandra's own record of a snapshot; schema and list of files are in the manifest. */
const NOT_DATA = new Set(['manifest.json', 'schema.cql']);

export function snapshotTag(backup: string): string {
  return `${TAG_PREFIX}${backup}`;
}

/** The node of a home's embedded stack, asked over its authenticated JMX as the archiver. */
export function embeddedNode(home: Home): SnapshotNode {
  const folder = stackLayout(home).cassandra.tables;
  return {
    async idAmong(nodes) {
      if (!hasCassandra(home)) return undefined;
      const [only, ...others] = nodes;
      if (others.length === 0) return only;
      const id = hostId(await nodetool(home, ['info'], 'archiver'));
      return nodes.find((node) => node === id);
    },
    async take(tag, keyspaces) {
      await nodetool(home, ['snapshot', '--ttl', LONGEST_LIFE, '-t', tag, '--', ...keyspaces], 'archiver');
    },
    async *files(tag, keyspaces) {
      for (const keyspace of keyspaces)
        for (const table of await foldersIn(join(folder, keyspace)))
          yield* filesOfTable(join(folder, keyspace, table, 'snapshots', tag), keyspace, nameOf(table));
    },
    async clearAll() {
      const snapshots = await ourSnapshots(folder);
      try {
        // Hard links in folders of their own, which Cassandra does not hold open: it need not even run.
        for (const path of snapshots) await rm(path, { recursive: true, force: true });
      } catch {
        // Cassandra itself may do what this user may not.
        const tags = new Set(snapshots.map((path) => basename(path)));
        for (const tag of tags) await nodetool(home, ['clearsnapshot', '-t', tag], 'archiver');
      }
    },
  };
}

/** `nodetool info` prints one property a line: `ID : 2f1c…`. */
function hostId(info: string): string | undefined {
  return /^ID\s*:\s*([0-9a-f-]{36})\s*$/m.exec(info)?.[1];
}

/** A table's folder bears its name, a hyphen and its id in 32 hexadecimal digits. */
function nameOf(folder: string): string {
  return folder.replace(/-[0-9a-f]{32}$/, '');
}

async function* filesOfTable(folder: string, keyspace: string, table: string): AsyncGenerator<SnapshotFile> {
  if (!existsSync(folder)) return;
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (!entry.isFile() || NOT_DATA.has(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, ino, mtimeNs } = await stat(path, { bigint: true });
    const name = path.slice(folder.length + 1);
    yield {
      keyspace,
      table,
      name,
      path,
      bytes: Number(size),
      identity: `${keyspace}/${table}/${name}:${ino}:${size}:${mtimeNs}`,
    };
  }
}

async function ourSnapshots(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const keyspace of await foldersIn(folder))
    for (const table of await foldersIn(join(folder, keyspace))) {
      const snapshots = join(folder, keyspace, table, 'snapshots');
      for (const tag of await foldersIn(snapshots)) if (tag.startsWith(TAG_PREFIX)) found.push(join(snapshots, tag));
    }
  return found;
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
