import { existsSync } from 'node:fs';
import { link, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SECRET_FOLDER_MODE } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { nodetool, stackLayout } from '../../stack/index.ts';
import type { TableName } from './scan-table.ts';

/** Where a home's restore puts files before Cassandra takes them: on the disk of its data, so that nothing is copied. */
export function stagingFolder(home: Home): string {
  return join(stackLayout(home).cassandra.folder, 'restore');
}

/** Folders of one table's files, one for each node that they came from: files of two nodes may bear one name. */
export function stagedTable(home: Home, { keyspace, table }: TableName): string {
  return join(stagingFolder(home), keyspace, table);
}

/** The same files under a second name, for an import that is not to use them up: hard links. */
export async function linkStaged(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: SECRET_FOLDER_MODE });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkStaged(source, target);
    else await link(source, target);
  }
}

/**
 * Has Cassandra take in the SSTables of a staged folder while it serves: it checks each, moves it to the table's own
 * folder under a new name, and its rows are there at once. Imported twice, rows are the same. The folder is gone then.
 */
export async function importStaged(home: Home, staged: string, { keyspace, table }: TableName): Promise<void> {
  if (!existsSync(staged)) return;
  for (const node of await readdir(staged))
    await nodetool(home, ['import', '--', keyspace, table, join(staged, node)]);
  await rm(staged, { recursive: true, force: true });
}

export async function clearStaging(home: Home): Promise<void> {
  await rm(stagingFolder(home), { recursive: true, force: true });
}
