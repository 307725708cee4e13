import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { forEachOf } from '../../../core/async/for-each.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { SECRET_FOLDER_MODE } from '../../../core/files.ts';
import type { BackupFile } from '../../manifest/manifest.ts';
import { storeNames } from '../../naming.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { decryptWith } from '../../recipients/age-file.ts';

export interface FetchParts {
  readonly store: ObjectStore;
  readonly install: string;
  readonly identities: readonly string[];
  /** Files that are fetched at once. */
  readonly parallel: number;
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Fetches files of one table and writes each into the folder that `folderOf` gives for its node, decrypted. When it
 * resolves, every file has the size and SHA-256 that the manifest states. Throws OBJECT_NOT_FOUND, OBJECT_DAMAGED naming the object, IDENTITY_WRONG,
 * STORE_… errors; then what is in the folders is of no use.
 */
export async function fetchFiles(
  files: readonly BackupFile[],
  folderOf: (node: string) => string,
  parts: FetchParts,
): Promise<void> {
  await forEachOf(files, parts.parallel, async (file) => {
    await fetchFile(file, join(folderOf(file.node), file.name), parts);
    parts.onProgress?.(file.bytes);
  });
}

async function fetchFile(file: BackupFile, path: string, { store, install, identities }: FetchParts): Promise<void> {
  const name = storeNames(install).content(file.object);
  await mkdir(dirname(path), { recursive: true, mode: SECRET_FOLDER_MODE });
  const target = await open(path, 'wx', 0o600);
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const part of decryptWith(identities, store.get(name))) {
      digest.update(part);
      bytes += part.length;
      await target.writeFile(part);
    }
  } finally {
    await target.close();
  }
  if (bytes === file.bytes && digest.digest('hex') === file.sha256) return;
  await rm(path, { force: true });
  throw new WardlineError(
    'OBJECT_DAMAGED',
    `${name} does not hold ${file.keyspace}.${file.table}/${file.name} as it was`,
    {
      hint: 'restore another backup, and see what is damaged: wardline backup verify latest --read-data',
    },
  );
}
