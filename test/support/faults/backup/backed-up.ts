import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import { expect } from 'vitest';
import { readManifest, readShelf } from '../../../../backup/manifest/stored-manifests.ts';
import { verifyBackup } from '../../../../backup/verify/verify-backup.ts';
import { trustedKeysOf } from '../../../../cli/audit/sources.ts';
import { loadConnection, loadSettings } from '../../../../core/configuration.ts';
import { storeNames } from '../../../../backup/naming.ts';
import { openBackupStore } from '../../../../backup/objects/open-store.ts';
import { stackLayout } from '../../../../stack/layout.ts';
import { outsideCredentials, plainCassandra } from '../../outside.ts';
import { wardlineOn, type WardlineOutcome } from '../../wardline.ts';
import type { FaultStack } from '../fault-stack.ts';

/** What a table holds, found without any code of the product. */
export interface TableState {
  readonly rows: number;
  /** SHA-256 over all rows as JSON, with the time at which they were written, sorted. */
  readonly digest: string;
}

/** What tests of backups do with a stack, and ask about it. */
export interface BackedUp {
  /** Break-glass, by what the command tells anyone. */
  readonly client: Client;
  /** Writes rows into a table that no contract knows, some new and some over old ones, so that the next backup has something to store. */
  write(rows?: number): Promise<void>;
  /** Of that table, unless another is named, with one of its columns that is no key. */
  state(table?: string, column?: string): Promise<TableState>;
  run(args: readonly string[], expected?: number): Promise<WardlineOutcome>;
  /** Ids of all backups whose manifests are genuine, the oldest first. */
  backups(): Promise<readonly string[]>;
  /** Fails unless every byte of a backup is as it was stored. */
  expectWhole(backup: string): Promise<void>;
  /** Fails where a snapshot of ours is on the disk, or a mark of something under way in the store. */
  expectNothingLeft(): Promise<void>;
  /** Names of what stands in the backup store under a prefix of the installation's. */
  stored(prefix: 'contents' | 'manifests' | 'marks'): Promise<readonly string[]>;
  close(): Promise<void>;
}

export const PLAIN_KEYSPACE = 'fault_plain';
export const PLAIN_TABLE = `${PLAIN_KEYSPACE}.readings`;
const PAGE_ROWS = 5000;
const ROWS = 200;
const OBJECTS_AT_ONCE = 8;
/** Rows that two calls of `write` have in common. */
const SHARED = 20;

/** Makes a table of a test's own, and gives what asks about the stack's backups. Needs running servers. */
export async function backedUp({ home }: FaultStack, config?: string): Promise<BackedUp> {
  const client = plainCassandra(await outsideCredentials(home.path, 'break-glass'));
  await client.execute(
    `CREATE KEYSPACE IF NOT EXISTS ${PLAIN_KEYSPACE} WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}`,
  );
  await client.execute(`CREATE TABLE IF NOT EXISTS ${PLAIN_TABLE} (id int PRIMARY KEY, words text)`);
  const settings = loadSettings(home, config);
  const store = openBackupStore(home, settings);
  const shelf = { store, install: home.install, trusted: trustedKeysOf(loadConnection(home, settings)) };
  const flags = config === undefined ? [] : ['--config', config];
  let written = 0;
  const it: BackedUp = {
    client,
    async write(rows = ROWS) {
      written = Math.max(0, written - SHARED);
      for (const end = written + rows; written < end; written += 1)
        await client.execute(
          `INSERT INTO ${PLAIN_TABLE} (id, words) VALUES (?, ?)`,
          [written, `${written} ${Date.now()}`],
          {
            prepare: true,
          },
        );
    },
    async state(table = PLAIN_TABLE, column = 'words') {
      const lines: string[] = [];
      const [keyspace, name] = table.split('.');
      const { rows: columns } = await client.execute(
        'SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?',
        [keyspace, name],
        { prepare: true },
      );
      const names = columns.map((row) => `"${String(row['column_name'])}"`);
      const query = `SELECT JSON ${[...names, `writetime(${column})`].join(', ')} FROM ${table}`;
      const found = await client.execute(query, [], { prepare: true, fetchSize: PAGE_ROWS });
      for await (const row of found) lines.push(String(row['[json]']));
      return { rows: lines.length, digest: createHash('sha256').update(lines.sort().join('\n')).digest('hex') };
    },
    run: (args, expected) => wardlineOn(home.path, [...args, ...flags], expected),
    async backups() {
      const ids: string[] = [];
      for await (const { id, manifest } of readShelf(shelf)) if (manifest !== undefined) ids.push(id);
      return ids;
    },
    async expectWhole(backup) {
      const manifest = await readManifest(shelf, backup);
      const { findings, objects } = await verifyBackup(shelf, manifest, { readData: true, parallel: OBJECTS_AT_ONCE });
      expect([backup, findings]).toEqual([backup, []]);
      expect(objects).toBeGreaterThan(0);
    },
    async expectNothingLeft() {
      expect(snapshotsOnDisk(stackLayout(home).cassandra.tables)).toEqual([]);
      expect(await it.stored('marks')).toEqual([]);
    },
    async stored(prefix) {
      const names: string[] = [];
      for await (const { name } of store.list(storeNames(home.install)[prefix])) names.push(name);
      return names;
    },
    async close() {
      await Promise.allSettled([client.shutdown(), store.close()]);
    },
  };
  return it;
}

/** Folders of snapshots that a backup took. */
function snapshotsOnDisk(tables: string): readonly string[] {
  const below = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : []);
  return below(tables)
    .flatMap((keyspace) => below(join(tables, keyspace)).map((table) => join(tables, keyspace, table, 'snapshots')))
    .flatMap((folder) => below(folder).map((tag) => join(folder, tag)))
    .filter((path) => path.includes('/snapshots/wardline-'));
}
