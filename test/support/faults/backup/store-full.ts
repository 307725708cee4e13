import { existsSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { pathToFileURL } from 'node:url';
import { replace } from '../stop-here.ts';

/**
 * Loaded into a process of Wardline before its own code (`--import`): for as long as the file that FULL_WHILE names is
 * there, a file that is being made takes no byte, as on a disk that is full.
 */

const FULL_WHILE = 'TEST_FULL_WHILE';

/** The environment of a process whose stores are full for as long as a file is there. */
export function fullWhile(path: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${pathToFileURL(import.meta.filename).href}`, [FULL_WHILE]: path };
}

const flag = process.env[FULL_WHILE];

if (flag !== undefined) {
  replace(files, 'open', async (open, call) => {
    const handle = (await open(...call)) as files.FileHandle;
    if (call[1] === 'wx')
      replace(handle, 'write', (write, bytes) => {
        if (!existsSync(flag)) return write(...bytes);
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      });
    return handle;
  });
  // Modules import it by its name.
  syncBuiltinESMExports();
}
