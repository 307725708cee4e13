import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRET_FOLDER_MODE } from '../../core/files.ts';
import { openOrCreateHome, type Home } from '../../core/home.ts';

/** Milliseconds for a hook that mints: a dozen RSA keys take a second, and many times that on a machine that is busy. */
export const MINT_TIMEOUT = 60_000;

export interface TemporaryHome {
  readonly home: Home;
  remove(): void;
}

/** A home in the temporary folder: a new and empty one, or a copy of `original` to do damage to. */
export function temporaryHome(original?: Home): TemporaryHome {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-test-'));
  const path = join(folder, 'home');
  if (original !== undefined) copyHome(original.path, path);
  return { home: openOrCreateHome(path), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Copying gives folders the mode of the process's umask; those of a home are for its owner alone. */
function copyHome(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  chmodSync(to, SECRET_FOLDER_MODE);
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), SECRET_FOLDER_MODE);
}
