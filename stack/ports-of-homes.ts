import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../core/files.ts';
import { waitForLock } from './process/lock.ts';
import { cacheFolder } from './provide/cache.ts';
import { isWritable } from './provide/class-archive.ts';

const filesSchema = z.array(z.string());

/**
 * Where the homes of this user keep their ports: a JSON array of paths in the user's cache. Servers that are stopped, or
 * not started yet, hold no port that a new home could not choose.
 */
export interface PortsOfHomes {
  /** The files of the other homes; those that are gone among them. */
  readonly files: readonly string[];
  /** Sets whose files there are from now on. */
  keep(files: readonly string[]): void;
}

/**
 * Lets `work` choose while nobody else of this user does. Where the cache cannot be written, nothing is known of other
 * homes, and nothing is kept.
 */
export async function withPortsOfHomes<T>(
  environment: NodeJS.ProcessEnv,
  work: (homes: PortsOfHomes) => Promise<T>,
): Promise<T> {
  const folder = cacheFolder(environment);
  if (!canHave(folder)) return work({ files: [], keep: () => undefined });
  const path = join(folder, 'ports-of-homes.json');
  const lock = await waitForLock(`${path}.lock`, () => undefined);
  try {
    return await work({
      files: filesIn(path),
      keep: (files) => writeFileAtomic(path, `${JSON.stringify(files, null, 2)}\n`),
    });
  } finally {
    lock.release();
  }
}

function canHave(folder: string): boolean {
  try {
    makeSecretFolder(folder);
  } catch {
    return false;
  }
  return isWritable(folder);
}

/** A damaged file is as none: what it named may be chosen again, and `up` says whose a port is. */
function filesIn(path: string): readonly string[] {
  try {
    return filesSchema.safeParse(JSON.parse(readIfPresent(path) ?? '[]')).data ?? [];
  } catch {
    return [];
  }
}
