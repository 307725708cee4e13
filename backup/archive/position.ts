import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';

const position = z.strictObject({ sequence: z.int().min(0), seal: z.string() });
const schema = z.strictObject({
  /** The address of the store: another one has chains of its own. */
  store: z.string(),
  topics: z.record(z.string(), position),
});

/** The last chunk of a topic, and the hash of its seal. */
export type ArchivePosition = z.infer<typeof position>;

/** How far each topic is archived, as the archiver remembers it: the store's seals decide, this only tells where to look. */
export interface ArchivePositions {
  get(topic: string): ArchivePosition | undefined;
  set(topic: string, position: ArchivePosition): void;
}

export function openArchivePositions(home: Home, store: string): ArchivePositions {
  const path = join(home.paths.backup, 'archive-position.json');
  const known = read(path);
  const topics = new Map(known?.store === store ? Object.entries(known.topics) : []);
  return {
    get: (topic) => topics.get(topic),
    set(topic, last) {
      topics.set(topic, last);
      makeSecretFolder(home.paths.backup);
      writeFileAtomic(path, `${JSON.stringify({ store, topics: Object.fromEntries(topics) })}\n`);
    },
  };
}

/** What cannot be read is as good as nothing: the ends are looked for in the store then. */
function read(path: string): z.infer<typeof schema> | undefined {
  try {
    return schema.parse(JSON.parse(readIfPresent(path) ?? 'null'));
  } catch {
    return undefined;
  }
}
