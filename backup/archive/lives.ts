import { randomBytes } from 'node:crypto';
import type { PartitionEnd } from './chunk/seal.ts';

/**
 * One life of a topic's partition, as the archiver tells them apart: `0002-6b1f…`. The first part counts, so that lives of
 * one partition are ordered by text; the rest is random. A topic that was made again begins another life.
 */
export function nextLife(before: string | undefined): string {
  const number = before === undefined ? 0 : Number(before.slice(0, LIFE_DIGITS)) + 1;
  return `${String(number).padStart(LIFE_DIGITS, '0')}-${randomBytes(8).toString('hex')}`;
}

const LIFE_DIGITS = 4;

/** What stands in a partition now: the first offset, and the one after the last. */
export interface PartitionBounds {
  readonly low: number;
  readonly high: number;
}

/** Where archiving of a partition goes on, and what was lost for that. */
export interface GoingOn {
  readonly kind: 'go-on';
  readonly life: string;
  readonly from: number;
  readonly isNewLife: boolean;
  /** Offsets of this life that the archive will never hold, if any; `to` is exclusive. */
  readonly gap: { readonly from: number; readonly to: number } | undefined;
}

/** The message before the next one is there to be compared: only it tells whether the life is the same. */
interface ToCompare {
  readonly kind: 'compare';
  readonly at: number;
}

export type Continuation = GoingOn | ToCompare;

/** Judges where to go on from the partition's bounds alone, as far as these tell. */
export function continuation(end: PartitionEnd | undefined, { low, high }: PartitionBounds): Continuation {
  if (end === undefined) return begin(nextLife(undefined), low);
  if (high < end.next) return begin(nextLife(end.life), low);
  if (low < end.next) return { kind: 'compare', at: end.next - 1 };
  // What could be compared is deleted by retention: the life is taken to be the same.
  const gap = low > end.next ? { from: end.next, to: low } : undefined;
  return { kind: 'go-on', life: end.life, from: low, isNewLife: false, gap };
}

/** The same once the message before the next one is known: by its hash, or undefined where another offset follows. */
export function continuationAfter(
  end: PartitionEnd,
  { low }: PartitionBounds,
  found: string | undefined,
): Continuation {
  if (found === end.lastSha256)
    return { kind: 'go-on', life: end.life, from: end.next, isNewLife: false, gap: undefined };
  return begin(nextLife(end.life), low);
}

function begin(life: string, low: number): GoingOn {
  const gap = low > 0 ? { from: 0, to: low } : undefined;
  return { kind: 'go-on', life, from: low, isNewLife: true, gap };
}
