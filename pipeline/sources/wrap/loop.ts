import type { Source, SourceItem } from '../source.ts';

/** Reads a source again and again. Positions go on: the second round begins after the last position of the first. */
export function loop(source: Source): Source {
  return {
    ...source,
    identity: { ...source.identity, loop: true },
    async *batches(fields, { from, signal }) {
      let length = from > 0 ? await lengthOf(source, fields, signal) : 0;
      let base = length > 0 ? from - (from % length) : 0;
      let skip = from - base;
      while (signal?.aborted !== true) {
        let last = 0;
        for await (const items of source.batches(fields, { from: skip, signal })) {
          last = items.at(-1)?.position ?? last;
          yield base === 0 ? items : items.map((item): SourceItem => ({ ...item, position: item.position + base }));
        }
        length = Math.max(length, last);
        // Without a single item another round would never end, nor do anything.
        if (length === 0) return;
        base += length;
        skip = 0;
      }
    },
  };
}

async function lengthOf(source: Source, fields: readonly string[], signal: AbortSignal | undefined): Promise<number> {
  let last = 0;
  for await (const items of source.batches(fields, { from: 0, signal })) last = items.at(-1)?.position ?? last;
  return last;
}
