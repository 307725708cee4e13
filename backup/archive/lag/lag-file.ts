import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../../core/files.ts';
import type { Home } from '../../../core/home.ts';

const schema = z.strictObject({ seconds: z.number().min(0), at: z.number() });

/** How far the archive of a home is behind, as its archiver last said. */
export interface ArchiveLag {
  readonly seconds: number;
  /** When that was so, in milliseconds since the epoch. */
  readonly at: number;
}

/** Said anew when it changed by as much, or after as long. */
const CHANGE_SECONDS = 1;
const OLD_AFTER = 10_000;

/** Undefined where no archiver of this home ever worked. */
export function readArchiveLag(home: Home): ArchiveLag | undefined {
  try {
    return schema.parse(JSON.parse(readIfPresent(pathOf(home)) ?? 'null'));
  } catch {
    return undefined;
  }
}

/** Keeps what `status` shows. */
export function createLagFile(home: Home): (lag: ArchiveLag) => void {
  let said: ArchiveLag | undefined;
  return (lag) => {
    const isNews =
      said === undefined || Math.abs(lag.seconds - said.seconds) >= CHANGE_SECONDS || lag.at - said.at >= OLD_AFTER;
    if (!isNews) return;
    said = lag;
    makeSecretFolder(home.paths.backup);
    writeFileAtomic(pathOf(home), JSON.stringify(lag));
  };
}

function pathOf(home: Home): string {
  return join(home.paths.backup, 'archive-lag.json');
}
