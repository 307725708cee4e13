import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

const CHUNK_BYTES = 16 * 1024 * 1024;

/**
 * How a text may stand in a file: as UTF-8, as UTF-16, in hexadecimal, and in base64 and base64url at each of the three
 * ways in which it can fall on groups of three bytes (without the characters that its neighbours share in).
 */
export function spellingsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const encoded = [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const whole = Math.floor((shifted.length * 8) / 6);
    const from = Math.ceil((shift * 8) / 6);
    return (['base64', 'base64url'] as const).map((name) => shifted.toString(name).slice(from, whole));
  });
  const texts = new Set([...encoded, bytes.toString('hex'), bytes.toString('hex').toUpperCase()]);
  return [bytes, Buffer.from(text, 'utf16le'), ...[...texts].map((spelling) => Buffer.from(spelling))];
}

/** Every file under a folder whose raw bytes hold one of the needles. A file that goes away meanwhile is passed over. */
export function filesWith(folder: string, needles: readonly Buffer[]): string[] {
  const longest = Math.max(...needles.map((needle) => needle.length));
  const buffer = Buffer.alloc(CHUNK_BYTES + longest);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => holdsAny(path, needles, buffer, longest));
}

function holdsAny(path: string, needles: readonly Buffer[], buffer: Buffer, overlap: number): boolean {
  const size = statSync(path, { throwIfNoEntry: false });
  // A file without blocks is one hole: nothing was ever written to it.
  if (size === undefined || size.blocks === 0) return false;
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(file, buffer, kept, CHUNK_BYTES, null);
      if (read === 0) return false;
      const window = buffer.subarray(0, kept + read);
      if (needles.some((needle) => window.includes(needle))) return true;
      kept = Math.min(overlap, window.length);
      window.copy(buffer, 0, window.length - kept);
    }
  } finally {
    closeSync(file);
  }
}
