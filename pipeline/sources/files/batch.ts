import type { SourceItem } from '../source.ts';
import type { Frame } from './frames.ts';

/** A row and where it stands. */
export interface PlacedFrame {
  readonly frame: Frame;
  readonly position: number;
}

/** A batch ends at this many bytes of rows, so that large rows do not add up. */
const BATCH_BYTES = 4 * 1024 * 1024;

export interface BatchOptions {
  readonly from: number;
  readonly batchRecords: number;
  readonly signal: AbortSignal | undefined;
  /** Rows that are no records: headers, blank lines. They have no position. */
  readonly skip: (frame: Frame) => boolean;
  readonly itemsOf: (rows: readonly PlacedFrame[]) => SourceItem[];
}

/** Numbers rows, passes over those up to `from`, and makes items of them, a batch at a time. */
export async function* batchesOf(
  chunks: AsyncIterable<readonly Frame[]>,
  { from, batchRecords, signal, skip, itemsOf }: BatchOptions,
): AsyncGenerator<readonly SourceItem[]> {
  let position = 0;
  let rows: PlacedFrame[] = [];
  let bytes = 0;
  const stopped = (): boolean => signal?.aborted === true;

  for await (const frames of chunks) {
    for (const frame of frames) {
      if (skip(frame)) continue;
      position += 1;
      if (position <= from) continue;
      rows.push({ frame, position });
      bytes += frame.bytes.length;
      if (rows.length < batchRecords && bytes < BATCH_BYTES) continue;
      if (stopped()) return;
      yield itemsOf(rows);
      rows = [];
      bytes = 0;
    }
  }
  if (rows.length > 0 && !stopped()) yield itemsOf(rows);
}
