import { parseEntry, type LogEntry } from './lines/entry.ts';
import type { LogLine } from './log-file.ts';
import type { LogPiece } from './log-follower.ts';

/** Lines within one second of the server's clock: what is the same in them is one event. */
const WINDOW_MILLISECONDS = 1000;
/** Threads of a server log a little out of order. A clock that is set back further begins a window of its own. */
const DISORDER_SECONDS = 2;

/** A line with what it is made of, where it is one that a server began. */
export interface ReadLine extends LogLine {
  readonly entry: LogEntry | undefined;
}

/** Lines that are judged together. */
export interface LogWindow {
  readonly lines: readonly ReadLine[];
  /** Offset behind the last line. */
  readonly to: number;
}

/**
 * Divides a piece into windows by the lines' own times, and leaves out the last one as long as lines may be added to it.
 * So a window depends on where it begins and on what the log holds, and not on when it was read: read again after a
 * crash, the same lines come to the same windows, and these to the same events. (A line that appears more than a second
 * after the last one, with that one's time, is the exception: read again, it may join that window.)
 */
export function windowsOf(piece: LogPiece, now: number): readonly LogWindow[] {
  const windows: ReadLine[][] = [];
  let second: number | undefined;
  for (const line of piece.lines) {
    const entry = parseEntry(line.text);
    const its = entry === undefined ? undefined : Math.floor(entry.time / WINDOW_MILLISECONDS);
    const current = windows.at(-1);
    if (current === undefined || begins(its, second)) {
      windows.push([{ ...line, entry }]);
      second = its;
    } else {
      current.push({ ...line, entry });
      second ??= its;
    }
  }
  if (!isOver(piece, windows.length, now)) windows.pop();
  return windows.map((lines) => ({ lines, to: lines.at(-1)?.to ?? piece.from }));
}

function begins(its: number | undefined, second: number | undefined): boolean {
  return its !== undefined && second !== undefined && (its > second || its < second - DISORDER_SECONDS);
}

/** Whether nothing is added to the last window: its file is complete, nothing was written for a second, or it fills the piece alone. */
function isOver(piece: LogPiece, windows: number, now: number): boolean {
  // Either way round: a file whose time is ahead of this clock would otherwise never be quiet.
  const quiet = !piece.full && Math.abs(now - piece.modified) >= WINDOW_MILLISECONDS;
  return piece.ended || quiet || (piece.full && windows === 1);
}
