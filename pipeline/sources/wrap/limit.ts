import type { Source } from '../source.ts';

/** The first `most` items of a source. It counts positions, so a resumed run ends where the first one would have. */
export function limit(source: Source, most: number): Source {
  return {
    ...source,
    identity: { ...source.identity, limit: most },
    async *batches(fields, options) {
      if (options.from >= most) return;
      for await (const items of source.batches(fields, options)) {
        const within = items.filter((item) => item.position <= most);
        if (within.length > 0) yield within;
        if ((items.at(-1)?.position ?? 0) >= most) return;
      }
    },
  };
}
