import { sleep } from '../../core/clock.ts';
import type { EventFilter } from './filter.ts';
import { eventsInOrder, logEnd, type FoundEvent, type QueryOptions } from './query.ts';

const POLL = 500;
/** Events behind the last that are looked at again: the notary stores several groups at once, so one may overtake another. */
const OVERLAP = 8192;

export interface FollowOptions extends QueryOptions {
  readonly filter: EventFilter;
  /** The last event that is known already; the end of the log unless told. */
  readonly after: number | undefined;
}

/** Events that fit as they are stored, each once, until the signal aborts. Goes on with the next epoch once there is one. */
export async function* followEvents(
  options: FollowOptions,
  newestEpoch: () => Promise<number>,
  signal: AbortSignal,
): AsyncGenerator<FoundEvent, void, void> {
  let { epoch } = options;
  let from = options.after === undefined ? await logEnd(options.client, epoch) : options.after + 1;
  let told = new Set<number>();
  while (!signal.aborted) {
    const end = await logEnd(options.client, epoch, from);
    for await (const event of eventsInOrder({ ...options, epoch }, from, end)) {
      if (told.has(event.sequence)) continue;
      told.add(event.sequence);
      yield event;
    }
    from = Math.max(from, end - OVERLAP);
    told = new Set([...told].filter((sequence) => sequence >= from));
    const newest = await newestEpoch();
    if (newest > epoch) {
      epoch = newest;
      from = 0;
      told.clear();
    }
    await sleep(POLL, signal);
  }
}
