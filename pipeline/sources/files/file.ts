import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { Fingerprint } from '../source.ts';
import { createFramer, type Frame, type FramerOptions } from './frames.ts';

export interface FileSourceOptions {
  readonly path: string;
  /** Records in a batch, at most. */
  readonly batchRecords: number;
  /** A row beyond this many bytes is dead: it is never held in memory as a whole. */
  readonly rowLimitBytes: number;
  /** Told once of columns that no field asks for. */
  readonly onExtraColumns?: ((names: readonly string[]) => void) | undefined;
  /** Bytes that are read at once. */
  readonly chunkBytes?: number | undefined;
}

const CHUNK_BYTES = 256 * 1024;
const FINGERPRINT_BYTES = 64 * 1024;
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * The rows of a file, a chunk's worth at a time, without the byte order mark of UTF-8.
 * Throws SOURCE_UNREADABLE, SOURCE_EMPTY for a file without a byte, SOURCE_ENCODING for UTF-16.
 */
export async function* framesOf(
  options: FileSourceOptions,
  framing: Pick<FramerOptions, 'quotes'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Frame[]> {
  const framer = createFramer({ ...framing, rowLimitBytes: options.rowLimitBytes });
  // Shorter chunks could cut a byte order mark in two.
  const highWaterMark = Math.max(options.chunkBytes ?? CHUNK_BYTES, UTF8_MARK.length);
  const chunks = createReadStream(options.path, { highWaterMark });
  let first = true;
  try {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      if (signal?.aborted) return;
      yield framer.push(first ? withoutMark(chunk, options.path) : chunk);
      first = false;
    }
  } catch (error) {
    throw error instanceof WardlineError ? error : unreadable(options.path, error);
  } finally {
    chunks.destroy();
  }
  if (first)
    throw new WardlineError('SOURCE_EMPTY', `${options.path} is empty`, { hint: 'choose a file with records' });
  yield framer.end();
}

/** Size and beginning of a file. Throws SOURCE_UNREADABLE. */
export async function fingerprintOf(path: string, headBytes = FINGERPRINT_BYTES): Promise<Fingerprint> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const head = Buffer.alloc(Math.min(size, headBytes));
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      const headSha256 = createHash('sha256').update(head.subarray(0, bytesRead)).digest('hex');
      return { sizeBytes: size, headBytes: bytesRead, headSha256 };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What names a file among all sources. */
export function fileIdentity(format: string, path: string): { readonly format: string; readonly path: string } {
  return { format, path: resolve(path) };
}

function withoutMark(chunk: Buffer, path: string): Buffer {
  if (UTF16_MARKS.some((mark) => mark.equals(chunk.subarray(0, mark.length)))) {
    throw new WardlineError('SOURCE_ENCODING', `${path} is encoded in UTF-16`, { hint: 'convert it to UTF-8' });
  }
  return UTF8_MARK.equals(chunk.subarray(0, UTF8_MARK.length)) ? chunk.subarray(UTF8_MARK.length) : chunk;
}

function unreadable(path: string, cause: unknown): WardlineError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown error';
  return new WardlineError('SOURCE_UNREADABLE', `${path} cannot be read: ${reason}`, {
    hint: 'check the path and its permissions',
    cause,
  });
}
