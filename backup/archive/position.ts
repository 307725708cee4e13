import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';

const schema = z.record(z.string(), z.strictObject({ sequence: z.int().min(0), seal: z.string() }));

/** The last chunk of a topic, and the hash of its seal. */
export type ArchivePosition = z.infer<typeof schema>[string];

/** How far each topic is archived, as the archiver remembers it: the store's seals decide, this only tells where to look. */
export interface ArchivePositions {
  get(topic: string): ArchivePosition | undefined;
  set(topic: string, position: ArchivePosition): void;
}

export function openArchivePositions(home: Home): ArchivePositions {
  const path = join(home.paths.backup, 'archive-position.json');
  const positions = new Map(Object.entries(read(path)));
  return {
    get: (topic) => positions.get(topic),
    set(topic, position) {
      positions.set(topic, position);
      makeSecretFolder(home.paths.backup);
      writeFileAtomic(path, `${JSON.stringify(Object.fromEntries(positions))}\n`);
    },
  };
}

function read(path: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(readIfPresent(path) ?? '{}'));
  } catch {
    // Then the ends are looked for in the store.
    return {};
  }
}
