import { z } from 'zod';
import { eventsInOrder, logEnd, withoutResends, type FoundEvent, type QueryOptions } from '../query/query.ts';
import { payloadOf } from '../store/columns.ts';

/** Where a record stands on a topic. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Which life of the partition, where it is known. */
  readonly incarnation?: string | undefined;
}

/** Offsets of one partition, both ends included. */
export interface OffsetRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** A stage window as its event states it. */
export interface StatedWindow {
  readonly event: FoundEvent;
  readonly stage: string;
  readonly ranges: readonly OffsetRange[];
  /** Records in the tree over their digests, and its root. */
  readonly size: number;
  readonly root: Buffer;
}

const number = z.string().regex(/^\d{1,19}$/);
const detailsSchema = z.looseObject({
  ranges: z.array(
    z.looseObject({ partition: z.int().min(0), from: number, to: number, incarnation: z.string().optional() }),
  ),
  tree_size: z.int().min(0),
  root: z.string().regex(/^[0-9a-f]{64}$/),
});

const STAGE = /^stage\.(.+)$/;

/**
 * The stage windows of an epoch that a record belongs to, in their order. Those of the source know no incarnation: that
 * one of them is about this life of the partition shows when its root is computed again.
 */
export async function* windowsOf(
  client: QueryOptions['client'],
  epoch: number,
  place: RecordPlace,
  since?: number,
): AsyncGenerator<StatedWindow, void, void> {
  const filter = { objectType: 'topic', objectId: place.topic, since };
  const end = await logEnd(client, epoch);
  for await (const event of withoutResends(eventsInOrder({ client, epoch, filter }, 0, end))) {
    const window = statedWindow(event, place);
    if (window !== undefined) yield window;
  }
}

function statedWindow(event: FoundEvent, place: RecordPlace): StatedWindow | undefined {
  const stage = STAGE.exec(event.columns.action ?? '')?.[1];
  const details = event.message === undefined ? undefined : payloadOf(event.message)?.['details'];
  const stated = stage === undefined ? undefined : detailsSchema.safeParse(details).data;
  if (stage === undefined || stated === undefined) return undefined;
  const ranges = stated.ranges.map(({ partition, from, to }) => ({ partition, from: BigInt(from), to: BigInt(to) }));
  const covers = stated.ranges.some(
    ({ incarnation }, index) =>
      includes(ranges[index], place) &&
      (incarnation === undefined || place.incarnation === undefined || incarnation === place.incarnation),
  );
  if (!covers) return undefined;
  return { event, stage, ranges, size: stated.tree_size, root: Buffer.from(stated.root, 'hex') };
}

/** Whether the record stands in the range. */
export function includes(range: OffsetRange | undefined, { partition, offset }: RecordPlace): boolean {
  return range?.partition === partition && range.from <= offset && offset <= range.to;
}
