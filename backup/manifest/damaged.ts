import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';

/** Objects that a verification of this home found damaged or gone: the next backup that needs them stores them again. */
export function readDamaged(home: Home): ReadonlySet<string> {
  try {
    return new Set(z.array(z.string()).parse(JSON.parse(readIfPresent(pathOf(home)) ?? '[]')));
  } catch {
    // Then the next verification finds them again.
    return new Set();
  }
}

export function writeDamaged(home: Home, objects: ReadonlySet<string>): void {
  makeSecretFolder(home.paths.backup);
  writeFileAtomic(pathOf(home), `${JSON.stringify([...objects].sort())}\n`);
}

function pathOf(home: Home): string {
  return join(home.paths.backup, 'damaged.json');
}
