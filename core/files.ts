import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Mode of every file that holds a secret, and of every folder that holds such files. */
const SECRET_FILE_MODE = 0o600;
export const SECRET_FOLDER_MODE = 0o700;

/** Creates a folder that only its owner can enter. */
export function makeSecretFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: SECRET_FOLDER_MODE });
}

/**
 * Writes a file so that a crash leaves either the old content or the new, never half of it:
 * a temporary file in the same folder, fsync, rename, fsync of the folder. Mode 0600 unless told otherwise.
 */
export function writeFileAtomic(path: string, content: string | Uint8Array, mode: number = SECRET_FILE_MODE): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes what was created, linked or renamed in a folder outlast a crash of the machine. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Reads a text file, or returns undefined where there is none. */
export function readIfPresent(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
