import type { Clock } from '../../../core/clock.ts';
import type { Source, SourceItem } from '../source.ts';
import { timeOf, type RecordTime } from './record-time.ts';

/** Items due within this time go together: at a high rate one timer for each would cost more than it gives. */
const TICK_MILLISECONDS = 20;
/** A run that fell behind further than this does not catch up: its schedule moves. */
const LONGEST_BURST_MILLISECONDS = 1000;

export interface PaceOptions {
  readonly clock: Clock;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Says how many milliseconds after the first item of the run each item is due; asked once for each, in order. */
type Schedule = () => (item: SourceItem) => number;

/** Lets `records` pass each `milliseconds`, counted from the start, so that small delays do not add up. */
export function atRate(source: Source, rate: Rate, options: PaceOptions): Source {
  return paced(source, options, () => {
    let passed = -1;
    return () => ((passed += 1) * rate.milliseconds) / rate.records;
  });
}

/** Lets records pass as their own times are apart, `factor` times as fast. One that is out of order, or has no time, passes with the one before it. */
export function atSpeed(source: Source, factor: number, time: RecordTime, options: PaceOptions): Source {
  return paced(source, options, () => {
    let first: number | undefined;
    let due = 0;
    return (item) => {
      const milliseconds = timeOf(item, time);
      if (milliseconds === undefined) return due;
      first ??= milliseconds;
      due = Math.max(due, (milliseconds - first) / factor);
      return due;
    };
  });
}

export interface Rate {
  readonly records: number;
  readonly milliseconds: number;
}

function paced(source: Source, { clock, sleep }: PaceOptions, schedule: Schedule): Source {
  return {
    ...source,
    async *batches(fields, options) {
      const dueOf = schedule();
      let start: number | undefined;
      for await (const items of source.batches(fields, options)) {
        for (const { due, group } of groupsOf(items, dueOf)) {
          start ??= clock.now();
          const ahead = start + due - clock.now();
          if (ahead < -LONGEST_BURST_MILLISECONDS) start -= ahead + LONGEST_BURST_MILLISECONDS;
          if (ahead > 0) await sleep(ahead, options.signal);
          if (options.signal?.aborted === true) return;
          yield group;
        }
      }
    },
  };
}

/** Items one after the other that are due within one tick of the first of them. */
function groupsOf(items: readonly SourceItem[], dueOf: (item: SourceItem) => number) {
  const groups: { due: number; group: SourceItem[] }[] = [];
  for (const item of items) {
    const due = dueOf(item);
    const last = groups.at(-1);
    if (last !== undefined && due < last.due + TICK_MILLISECONDS) last.group.push(item);
    else groups.push({ due, group: [item] });
  }
  return groups;
}
