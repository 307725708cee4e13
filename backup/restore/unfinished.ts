import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';

const unfinishedSchema = z.record(z.string(), z.string());

/**
 * Tables that a restore of this home began with and has not come to the end of, with the backup that each was restored
 * from: they may hold half of what they should, so that no backup of them may count as the latest. A file that cannot be
 * read names none.
 */
export function unfinishedRestores(home: Pick<Home, 'paths'>): Readonly<Record<string, string>> {
  try {
    return unfinishedSchema.parse(JSON.parse(readIfPresent(pathOf(home)) ?? '{}'));
  } catch {
    return {};
  }
}

/**
 * MUST be called before a table is touched. `tables` are of the form `keyspace.table`. What it returns takes that back, for
 * a restore that ends before it has touched any.
 */
export function beginRestore(home: Pick<Home, 'paths'>, backup: string, tables: readonly string[]): () => void {
  const before = unfinishedRestores(home);
  write(home, { ...before, ...Object.fromEntries(tables.map((table) => [table, backup])) });
  return () => write(home, before);
}

/** To be called when the tables hold what they should, whichever call it was that began with them. */
export function endRestore(home: Pick<Home, 'paths'>, tables: readonly string[]): void {
  const left = Object.entries(unfinishedRestores(home)).filter(([table]) => !tables.includes(table));
  write(home, Object.fromEntries(left));
}

function write(home: Pick<Home, 'paths'>, tables: Readonly<Record<string, string>>): void {
  makeSecretFolder(home.paths.backup);
  writeFileAtomic(pathOf(home), `${JSON.stringify(tables)}\n`);
}

function pathOf({ paths }: Pick<Home, 'paths'>): string {
  return join(paths.backup, 'unfinished-restores.json');
}
