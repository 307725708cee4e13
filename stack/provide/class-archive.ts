import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';

/** Options for a JVM, and what is to be done once it has ended. */
export interface ClassArchive {
  readonly options: readonly string[];
  keep(): void;
}

/**
 * A JVM that is started often for a moment spends most of it loading classes: the first leaves them behind as a class data
 * archive in `file`, and those after it map that. An archive that does not fit, of another JDK or other jars, is passed
 * over by the JVM; so is one in a folder that this user may not write. Two processes may make it at once.
 */
export function classArchive(file: string): ClassArchive {
  // Whatever the JVM has to say of its archive, it would say on standard output.
  const silent = ['-Xshare:auto', '-Xlog:disable'];
  if (existsSync(file)) return { options: [...silent, `-XX:SharedArchiveFile=${file}`], keep: () => undefined };
  if (!isWritable(dirname(file))) return { options: [], keep: () => undefined };
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  return {
    options: [...silent, `-XX:ArchiveClassesAtExit=${temporary}`],
    keep() {
      if (!existsSync(temporary)) return;
      chmodSync(temporary, 0o600);
      renameSync(temporary, file);
    },
  };
}

/** Whether this user may make files in a folder. */
export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
