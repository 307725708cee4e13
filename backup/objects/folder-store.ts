import { randomBytes } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { SECRET_FOLDER_MODE } from '../../core/files.ts';
import { objectNotFound, readBody, requireName, type ObjectStore, type StoredObject } from './object-store.ts';

/** What is being written; no object's name begins with a dot, so no listing shows it. */
const TEMPORARY = /^\.put-/;
const READ_BYTES = 1024 * 1024;

/**
 * Objects as files of a folder, which is made where there is none; files are 0600, folders 0700. An object is written
 * beside its place, forced to disk, and renamed.
 */
export function folderStore(folder: string): ObjectStore {
  const address = folder;
  const made = new Set<string>();
  const pathOf = (name: string): string => {
    requireName(name);
    return join(folder, name);
  };
  const makeFolder = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    const first = await mkdir(path, { recursive: true, mode: SECRET_FOLDER_MODE });
    // A new folder is there after a crash once each folder above it is on disk, up to one that stood before.
    if (first !== undefined)
      for (let at = path; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
    made.add(path);
  };

  /** Every file whose name begins with `prefix`, in the order of names; unfinished ones only, or none of them. */
  async function* walk(relative: string, prefix: string, unfinished = false): AsyncGenerator<StoredObject> {
    for (const entry of sorted(await entriesOf(join(folder, relative)))) {
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        const below = `${name}/`;
        if (below.startsWith(prefix) || prefix.startsWith(below)) yield* walk(name, prefix, unfinished);
      } else if (name.startsWith(prefix) && TEMPORARY.test(entry.name) === unfinished) {
        const found = await statOf(join(folder, name), name);
        if (found !== undefined) yield found;
      }
    }
  }

  return {
    address,
    async put(name, body) {
      const path = pathOf(name);
      const reading = readBody(body);
      try {
        await makeFolder(dirname(path));
        const temporary = join(dirname(path), `.put-${randomBytes(9).toString('hex')}`);
        let file: FileHandle | undefined;
        try {
          file = await open(temporary, 'wx', 0o600);
          for await (const part of reading.stream) await writeWhole(file, part);
          await file.sync();
          if ((await file.stat()).size !== reading.bytes)
            throw new WardlineError('STORE_REFUSED', `${address} did not keep all bytes of ${name}`);
          await file.close();
          file = undefined;
          await rename(temporary, path);
        } catch (error) {
          await file?.close().catch(() => undefined);
          await rm(temporary, { force: true }).catch(() => undefined);
          // The folder may have been removed since it was made.
          made.delete(dirname(path));
          throw error;
        }
        await syncFolder(dirname(path));
        return reading.bytes;
      } catch (error) {
        throw reading.failure(() => asStoreError(error, address));
      }
    },
    async *get(name) {
      try {
        for await (const part of createReadStream(pathOf(name), { highWaterMark: READ_BYTES })) yield part as Buffer;
      } catch (error) {
        throw isMissing(error) ? objectNotFound({ address }, name) : asStoreError(error, address);
      }
    },
    async stat(name) {
      try {
        return await statOf(pathOf(name), name);
      } catch (error) {
        throw asStoreError(error, address);
      }
    },
    async *list(prefix) {
      try {
        yield* walk('', prefix);
      } catch (error) {
        throw asStoreError(error, address);
      }
    },
    async remove(name) {
      try {
        await rm(pathOf(name), { force: true });
        await syncFolder(dirname(pathOf(name)));
      } catch (error) {
        if (!isMissing(error)) throw asStoreError(error, address);
      }
    },
    async removeUnfinished(before) {
      let removed = 0;
      try {
        for await (const { name, modified } of walk('', '', true)) {
          if (modified >= before) continue;
          await rm(join(folder, name), { force: true });
          removed += 1;
        }
        return removed;
      } catch (error) {
        throw asStoreError(error, address);
      }
    },
    close: () => Promise.resolve(),
  };
}

async function writeWhole(file: FileHandle, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length;) at += (await file.write(part, at, part.length - at)).bytesWritten;
}

async function statOf(path: string, name: string): Promise<StoredObject | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? { name, bytes: found.size, modified: found.mtimeMs } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** In the order of whole names: a folder sorts by its name with the slash that follows it. */
function sorted(entries: readonly Dirent[]): readonly Dirent[] {
  const key = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeIn(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeIn(error));
}

const FULL = ['ENOSPC', 'EDQUOT'];
const REFUSED = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG'];
const AWAY = ['ENOENT', 'EIO', 'ESTALE', 'ENODEV', 'ETIMEDOUT', 'EMFILE', 'ENFILE'];

function asStoreError(error: unknown, address: string): Error {
  const code = codeIn(error);
  const as = FULL.includes(code)
    ? ('STORE_FULL' as const)
    : REFUSED.includes(code)
      ? ('STORE_REFUSED' as const)
      : AWAY.includes(code)
        ? ('STORE_UNREACHABLE' as const)
        : undefined;
  if (as === undefined) return asWardlineError(error);
  return new WardlineError(as, `${address} cannot be used: ${code}`, {
    hint: as === 'STORE_FULL' ? 'make room, or remove old backups: wardline backup prune' : `see to ${address}`,
    cause: error,
  });
}
