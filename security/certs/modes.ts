import { statSync } from 'node:fs';
import { basename } from 'node:path';

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

/** Says which of a folder and its files somebody other than the owner may use; undefined when none. Absent files are another check's business. */
export function looseModes(folder: string, files: readonly string[]): string | undefined {
  const loose = [folder, ...files].flatMap((path) => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    return mode !== undefined && (mode & OTHERS) !== 0 ? [`${basename(path)} is ${(mode & 0o777).toString(8)}`] : [];
  });
  return loose.length === 0 ? undefined : `open to others: ${loose.join(', ')}`;
}
