import { openFamily } from './log-family.ts';
import { openLogFile, type FollowedLog, type LogFile, type LogLine } from './log-file.ts';

/** How much of a log is read at once, in bytes; a line may go beyond it. Bounds memory, however far a log has run ahead. */
const PIECE_BYTES = 1024 * 1024;
/** Files that are known to be read to their end. More than any logger here keeps (20). */
const FINISHED_KEPT = 64;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** How far a log has been read: up to an offset of one of its files. */
export interface LogPosition {
  readonly generation: string;
  readonly offset: number;
  /** Files that were read before that one: they are not read again, wherever a rotation has put them. */
  readonly finished: readonly string[];
}

/** The lines that follow a position, all of one file. */
export interface LogPiece {
  readonly generation: string;
  readonly from: number;
  readonly lines: readonly LogLine[];
  readonly finished: readonly string[];
  /** Nothing is ever added to this file, and the lines reach to its end. */
  readonly ended: boolean;
  /** More lines stand in the file already. */
  readonly full: boolean;
  /** When the file was last written, in milliseconds since the epoch. */
  readonly modified: number;
  /** Where reading should have gone on: that file is gone, or ends before that offset. Lines behind it are lost. */
  readonly lost?: LogPosition | undefined;
}

/**
 * Reads on from a position, over any number of rotations, and undefined where nothing has been added. It keeps nothing
 * open and remembers nothing: the position alone says where to go on, in the same process as after a restart. So every
 * line is read once where each position is kept, and again from the position that was kept last where one was not.
 */
export function readOn(
  log: FollowedLog,
  position: LogPosition | undefined,
  limit: number = PIECE_BYTES,
): LogPiece | undefined {
  return readCurrent(log, position, limit) ?? readFamily(log, position, limit);
}

/** The position at an offset of a piece's file. */
export function positionIn(piece: LogPiece, offset: number): LogPosition {
  return { generation: piece.generation, offset, finished: piece.finished };
}

/** The short way, nearly always: the file that was read is still the one that is written. */
function readCurrent(log: FollowedLog, position: LogPosition | undefined, limit: number): LogPiece | undefined {
  if (position === undefined) return undefined;
  const file = openLogFile(log.path, log.name, false);
  try {
    if (file?.generation !== position.generation) return undefined;
    return readFrom(file, position, limit);
  } finally {
    file?.close();
  }
}

function readFamily(log: FollowedLog, position: LogPosition | undefined, limit: number): LogPiece | undefined {
  const family = openFamily(log);
  try {
    const current = family.find(({ generation }) => generation === position?.generation);
    const rest = current && position && readFrom(current, position, limit);
    if (rest !== undefined && (rest.lines.length > 0 || rest.lost !== undefined)) return rest;
    const finished = position === undefined ? [] : [...position.finished, position.generation].slice(-FINISHED_KEPT);
    const next = family.find(({ generation = '' }) => !finished.includes(generation));
    if (next === undefined) return undefined;
    const start = { generation: next.generation ?? '', offset: 0, finished };
    const piece = readFrom(next, start, limit);
    return position === undefined || current !== undefined ? piece : { ...piece, lost: position };
  } finally {
    for (const file of family) file.close();
  }
}

function readFrom(file: LogFile, position: LogPosition, limit: number): LogPiece {
  const cut = position.offset > file.size;
  const from = cut ? file.size : position.offset;
  const { lines, full } = file.lines(from, limit);
  return {
    generation: position.generation,
    finished: position.finished,
    ...{ from, lines, full },
    ended: file.rotated && !full,
    modified: Number(file.modified / NANOSECONDS_PER_MILLISECOND),
    lost: cut ? position : undefined,
  };
}
