import { existsSync } from 'node:fs';
import { link, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WardlineError } from '../../../core/errors/errors.ts';
import { SECRET_FOLDER_MODE } from '../../../core/files.ts';
import type { Home } from '../../../core/home.ts';
import { nodetool, stackLayout } from '../../../stack/index.ts';
import type { TableName } from './scan-table.ts';

/** In milliseconds; a table of the size of a disk is read once. */
const LONGEST_IMPORT = 60 * 60_000;

/** Where a home's restore puts files before Cassandra takes them: on the disk of its data, so that nothing is copied. */
function stagingFolder(home: Home): string {
  return join(stackLayout(home).cassandra.data, 'restore');
}

/**
 * Where the files of a table that came from one node are staged: files of two nodes may bear one name. Cassandra takes
 * files for those of the keyspace and table that the last two folders of their path are called.
 */
export function stagedTable(home: Home, node: string, { keyspace, table }: TableName): string {
  return join(stagingFolder(home), node, keyspace, table);
}

/** Stages the files of one table for another as well: hard links, since an import uses files up. */
export async function linkStaged(home: Home, from: TableName, to: TableName): Promise<void> {
  for (const node of await nodesStaged(home, from))
    await linkFolder(stagedTable(home, node, from), stagedTable(home, node, to));
}

async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: SECRET_FOLDER_MODE });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkFolder(source, target);
    else await link(source, target);
  }
}

/**
 * Has the node on this machine take in the SSTables that are staged for a table, while it serves: it checks each, moves it
 * to the table's own folder under a new name, and its rows are there at once. Imported twice, rows are the same. One node
 * of several takes in rows of others, too, which it shows to nobody, and drops at once.
 */
export async function importStaged(home: Home, table: TableName, amongOthers = false): Promise<void> {
  const names = [table.keyspace, table.table];
  const nodes = await nodesStaged(home, table);
  for (const node of nodes) {
    const staged = stagedTable(home, node, table);
    const flags = amongOthers ? ['--no-tokens'] : [];
    await nodetool(home, ['import', ...flags, '--', ...names, staged], 'stack', LONGEST_IMPORT);
    await requireTaken(staged, table);
    await rm(staged, { recursive: true, force: true });
  }
  if (amongOthers && nodes.length > 0) await nodetool(home, ['cleanup', '--', ...names], 'stack', LONGEST_IMPORT);
}

/** Cassandra moves away what it takes in: a file that is still there is one that it did not take. */
async function requireTaken(staged: string, { keyspace, table }: TableName): Promise<void> {
  const left = (await readdir(staged, { recursive: true })).filter((name) => name.endsWith('-Data.db'));
  if (left.length === 0) return;
  throw new WardlineError(
    'CASSANDRA_REFUSED',
    `Cassandra did not take in ${left.length} files of ${keyspace}.${table}`,
    {
      hint: `among them ${left[0] ?? ''}; see wardline logs cassandra`,
    },
  );
}

export async function clearStaging(home: Home): Promise<void> {
  await rm(stagingFolder(home), { recursive: true, force: true });
}

async function nodesStaged(home: Home, table: TableName): Promise<readonly string[]> {
  const folder = stagingFolder(home);
  const nodes = existsSync(folder) ? await readdir(folder) : [];
  return nodes.filter((node) => existsSync(stagedTable(home, node, table)));
}
