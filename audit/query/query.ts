import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';
import { blockOf, blockStart, heldBlocks } from '../store/blocks.ts';
import { columnsOf, payloadOf, type EventColumns } from '../store/columns.ts';
import { blockHolds, lastInBlock, readEventsAt, type StoredEvent } from '../store/events.ts';
import { readSummaries } from '../store/summaries.ts';
import { askedTexts, candidates, fits, isSelective, type EventFilter } from './filter.ts';

/** An event that was asked for. */
export interface FoundEvent extends StoredEvent {
  readonly epoch: number;
  /** Read out of the message. */
  readonly columns: EventColumns;
}

export interface QueryOptions {
  readonly client: Pick<CassandraWork, 'execute'>;
  readonly epoch: number;
  readonly filter: EventFilter;
  /** No event before this sequence can fit; 0 unless told. */
  readonly floor?: number | undefined;
}

/** The first stretch of the log that is searched, in events; it grows while little is found. */
const FIRST_STRETCH = 512;
const STRETCH_GROWTH = 4;
/** Blocks searched at once, where each is searched whole. */
const BLOCKS_AT_ONCE = 8;
/** Events that are read at once, where they may fit. */
const EVENTS_AT_ONCE = 64;

/**
 * The events of an epoch that fit, the newest first, from before sequence `before` (the end unless told). Reads stretch
 * after stretch, and no further than is consumed; memory is bounded by a few blocks.
 */
export async function* newestEvents(options: QueryOptions, before?: number): AsyncGenerator<FoundEvent, void, void> {
  const end = await logEnd(options.client, options.epoch);
  let to = Math.min(before ?? end, end);
  const floor = options.floor ?? 0;
  for (let stretch = FIRST_STRETCH; to > floor;) {
    const from = Math.max(floor, to - stretch, stretch < EVENTS_PER_BLOCK ? blockStart(blockOf(to - 1)) : 0);
    const places = await search(options, from, to);
    for (let end = places.length; end > 0; end -= EVENTS_AT_ONCE)
      yield* (await read(options, places.slice(Math.max(0, end - EVENTS_AT_ONCE), end))).reverse();
    to = from;
    // What is rare is looked for in ever longer stretches, what is frequent in short ones.
    if (places.length < FIRST_STRETCH) stretch = Math.min(stretch * STRETCH_GROWTH, BLOCKS_AT_ONCE * EVENTS_PER_BLOCK);
  }
}

/** The events of an epoch that fit, in their order, from sequence `from` up to but without `end`. */
export async function* eventsInOrder(
  options: QueryOptions,
  from: number,
  end: number,
): AsyncGenerator<FoundEvent, void, void> {
  for (let start = from; start < end;) {
    const to = Math.min(end, blockStart(blockOf(start) + 1));
    const places = await search(options, start, to);
    for (let at = 0; at < places.length; at += EVENTS_AT_ONCE)
      yield* await read(options, places.slice(at, at + EVENTS_AT_ONCE));
    start = to;
  }
}

/** The sequence after the last event that is stored; `likely` is one that is likely to be there. */
export async function logEnd(client: Pick<CassandraWork, 'execute'>, epoch: number, likely = 0): Promise<number> {
  const blocks = await heldBlocks((block) => blockHolds(client, epoch, block), blockOf(likely));
  const last = blocks === 0 ? undefined : await lastInBlock(client, epoch, blocks - 1);
  return last === undefined ? 0 : last + 1;
}

/** Where events may stand that fit, rising. Without anything to look for that is everywhere, whatever summaries say. */
async function search(options: QueryOptions, from: number, to: number): Promise<number[]> {
  if (!isSelective(options.filter)) return Array.from({ length: to - from }, (_, at) => from + at);
  const blocks = Array.from({ length: blockOf(to - 1) - blockOf(from) + 1 }, (_, at) => blockOf(from) + at);
  const found = await Promise.all(blocks.map((block) => searchBlock(options, block, from, to)));
  return found.flat();
}

async function searchBlock(
  { client, epoch, filter }: QueryOptions,
  block: number,
  from: number,
  to: number,
): Promise<number[]> {
  const range = { from: Math.max(from, blockStart(block)), to: Math.min(to, blockStart(block + 1)) };
  const summaries = await readSummaries(client, epoch, range, askedTexts(filter));
  return summaries
    .flatMap((summary) => candidates(filter, summary))
    .filter((sequence) => sequence >= range.from && sequence < range.to);
}

/** The events at these places, which rise, that do fit. */
async function read({ client, epoch, filter }: QueryOptions, places: readonly number[]): Promise<FoundEvent[]> {
  const blocks = [...new Set(places.map(blockOf))];
  const found = await Promise.all(
    blocks.map((block) =>
      readEventsAt(
        client,
        epoch,
        block,
        places.filter((place) => blockOf(place) === block),
      ),
    ),
  );
  return found
    .flat()
    .map((event) => ({ ...event, epoch, columns: columnsOf(event.message) }))
    .filter(({ columns }) => fits(filter, columns));
}

/** As many events as are remembered: one that was sent twice comes again within seconds. */
const EVENTS_REMEMBERED = 10_000;

/**
 * Leaves out what has come already: a resend carries the same event, with the same id, at another place. That it says
 * the same is looked at, so that nobody hides an event behind the id of another.
 */
export async function* withoutResends(events: AsyncIterable<FoundEvent>): AsyncGenerator<FoundEvent, void, void> {
  const seen = new Set<string>();
  for await (const event of events) {
    const id = event.message === undefined ? undefined : payloadOf(event.message)?.['id'];
    if (typeof id === 'string') {
      const identity = JSON.stringify([id, { ...event.columns, time: null }]);
      if (seen.has(identity)) continue;
      seen.add(identity);
      const [oldest] = seen;
      if (seen.size > EVENTS_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    }
    yield event;
  }
}
