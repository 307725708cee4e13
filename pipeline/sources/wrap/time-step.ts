import { isMalformed, type Source } from '../source.ts';
import { timeOf, withTime, type RecordTime } from './record-time.ts';

/**
 * Gives records evenly spaced times: that of the record at position p is the first readable time of the source, moved by
 * `stepMilliseconds` for each position since. It does not depend on where a run was resumed.
 */
export function timeStep(source: Source, time: RecordTime, stepMilliseconds: number): Source {
  return {
    ...source,
    identity: { ...source.identity, timeStep: stepMilliseconds },
    async *batches(fields, options) {
      let origin = options.from > 0 ? await originOf(source, fields, time, stepMilliseconds) : undefined;
      for await (const items of source.batches(fields, options)) {
        yield items.map((item) => {
          if (isMalformed(item)) return item;
          origin ??= originAt(item.position, timeOf(item, time), stepMilliseconds);
          // Before the first readable time nothing is known: the value stays, and the check says what is wrong with it.
          return origin === undefined ? item : withTime(item, time, origin + item.position * stepMilliseconds);
        });
      }
    },
  };
}

async function originOf(source: Source, fields: readonly string[], time: RecordTime, step: number) {
  for await (const items of source.batches(fields, { from: 0 })) {
    for (const item of items) {
      const origin = originAt(item.position, timeOf(item, time), step);
      if (origin !== undefined) return origin;
    }
  }
  return undefined;
}

/** The time that position 0 would have. */
function originAt(position: number, milliseconds: number | undefined, step: number): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds - position * step;
}
