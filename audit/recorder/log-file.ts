import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';

/** A longer line is cut to this, in bytes. What says who did what stands at the beginning of a line. */
export const LONGEST_LINE = 64 * 1024;

const CHUNK_BYTES = 64 * 1024;
const LINE_END = 0x0a;
const GENERATION_CHARACTERS = 22;

/** A log that somebody else writes, and that is rotated: `x.log`, then `x.log.1` and so on. */
export interface FollowedLog {
  readonly name: string;
  readonly path: string;
}

/** One complete line: bytes `from` to `to` of its file, with the line end. */
export interface LogLine {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** An open file of a log. It stays the same file, whatever a rotation calls it meanwhile. */
export interface LogFile {
  /**
   * Identifies the file among all that ever bore this log's name: SHA-256 over the log's name and the file's first line,
   * which begins with a time. Unlike an inode it outlasts a rotation that copies, a restore and another disk, and no
   * later file gets it again. Undefined as long as no first line is complete.
   */
  readonly generation: string | undefined;
  /** Nothing is added to it any more: its end is the end of a line. */
  readonly rotated: boolean;
  readonly inode: bigint;
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly modified: bigint;
  /** The complete lines from an offset on, until they are `limit` bytes: then `full`, and there may be more. */
  lines(from: number, limit: number): { readonly lines: readonly LogLine[]; readonly full: boolean };
  close(): void;
}

/** Opens a file of a log; undefined where there is none. */
export function openLogFile(path: string, log: string, rotated: boolean): LogFile | undefined {
  const file = openIfPresent(path);
  if (file === undefined) return undefined;
  const { ino, size, mtimeNs } = fstatSync(file, { bigint: true });
  return {
    generation: generationOf(file, log, rotated),
    rotated,
    inode: ino,
    size: Number(size),
    modified: mtimeNs,
    lines: (from, limit) => readLines(file, from, limit, rotated),
    close: () => closeSync(file),
  };
}

function generationOf(file: number, log: string, rotated: boolean): string | undefined {
  const head = Buffer.alloc(LONGEST_LINE);
  const size = readSync(file, head, 0, LONGEST_LINE, 0);
  const end = head.subarray(0, size).indexOf(LINE_END);
  if (size === 0 || (end === -1 && size < LONGEST_LINE && !rotated)) return undefined;
  const line = head.subarray(0, end === -1 ? size : end);
  return createHash('sha256')
    .update(lengthPrefixed([log, line]))
    .digest('base64url')
    .slice(0, GENERATION_CHARACTERS);
}

function readLines(
  file: number,
  from: number,
  limit: number,
  rotated: boolean,
): { lines: readonly LogLine[]; full: boolean } {
  const lines: LogLine[] = [];
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const kept = keptBytes();
  let start = from;
  let at = from;
  const end = (to: number): void => {
    lines.push({ text: kept.take(), from: start, to });
    start = to;
  };
  for (;;) {
    const size = readSync(file, chunk, 0, CHUNK_BYTES, at);
    if (size === 0) break;
    let begin = 0;
    for (let found = next(chunk, begin, size); found !== -1; found = next(chunk, begin, size)) {
      kept.add(chunk.subarray(begin, found));
      begin = found + 1;
      end(at + begin);
      if (start - from >= limit) return { lines, full: true };
    }
    kept.add(chunk.subarray(begin, size));
    at += size;
  }
  if (rotated && at > start) end(at);
  return { lines, full: false };
}

function next(chunk: Buffer, begin: number, size: number): number {
  const found = chunk.indexOf(LINE_END, begin);
  return found < size ? found : -1;
}

/** Collects the beginning of a line, at most LONGEST_LINE bytes of it, however long the line is. */
function keptBytes(): { add(bytes: Buffer): void; take(): string } {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    add(bytes) {
      const room = bytes.subarray(0, LONGEST_LINE - size);
      if (room.length > 0) parts.push(Buffer.from(room));
      size += room.length;
    },
    take() {
      const text = Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      return text.endsWith('\r') ? text.slice(0, -1) : text;
    },
  };
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
