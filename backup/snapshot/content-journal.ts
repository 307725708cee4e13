import { appendFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';

/** An object that holds a content. */
export interface StoredContent {
  readonly object: string;
  readonly encryptedBytes: number;
  readonly encryptedSha256: string;
}

/**
 * What this machine knows to have stored, and the hashes of files that it has read. Lost, it is made again from the
 * manifests: then every file is read once more. An object that stands in no journal and no manifest is believed by nobody,
 * since a killed writer may have left it.
 */
export interface ContentJournal {
  stored(object: string): StoredContent | undefined;
  fileHash(identity: string): string | undefined;
  keepStored(content: StoredContent): void;
  keepFile(identity: string, sha256: string): void;
  /** Forgets objects that were found damaged: they are stored again. */
  forget(objects: Iterable<string>): void;
  /** Rewrites the file with what was used since it was opened; the rest is no longer on the disk. */
  compact(): void;
}

const line = z.union([
  z.strictObject({ object: z.string(), encryptedBytes: z.int(), encryptedSha256: z.string() }),
  z.strictObject({ file: z.string(), sha256: z.string() }),
]);

/** Opens the journal in a file, JSON lines that are only ever added to; `known` gives what it would hold, where there is none. */
export async function openContentJournal(
  path: string,
  known: () => Promise<readonly StoredContent[]>,
): Promise<ContentJournal> {
  const text = readIfPresent(path);
  const objects = new Map<string, StoredContent>();
  const files = new Map<string, string>();
  const used = new Map<string, string>();
  for (const one of (text ?? '').split('\n')) {
    const entry = parsed(one);
    if (entry === undefined) continue;
    if ('file' in entry) files.set(entry.file, entry.sha256);
    else objects.set(entry.object, entry);
  }
  for (const { object, encryptedBytes, encryptedSha256 } of text === undefined ? await known() : [])
    objects.set(object, { object, encryptedBytes, encryptedSha256 });
  makeSecretFolder(dirname(path));
  const add = (entry: z.infer<typeof line>): void =>
    appendFileSync(path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  return {
    stored: (object) => objects.get(object),
    fileHash: (identity) => files.get(identity),
    keepStored(content) {
      objects.set(content.object, content);
      add(content);
    },
    keepFile(identity, sha256) {
      used.set(identity, sha256);
      if (files.get(identity) === sha256) return;
      files.set(identity, sha256);
      add({ file: identity, sha256 });
    },
    forget(damaged) {
      for (const object of damaged) objects.delete(object);
    },
    compact() {
      const lines = [...[...used].map(([file, sha256]) => ({ file, sha256 })), ...objects.values()];
      writeFileAtomic(path, lines.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    },
  };
}

/** A last line that a crash cut short is none. */
function parsed(text: string): z.infer<typeof line> | undefined {
  try {
    return line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
