import type { ChunkRange, PartitionEnd } from '../chunk/seal.ts';

/** A place in a partition: lives are ordered by text (see nextLife). */
export interface ArchivePoint {
  readonly life?: string;
  readonly offset: number;
}

/** Whether a chunk that leaves a partition at `end` may hold something from the point on. Once true, true for all after it. */
export function isReached(point: ArchivePoint | undefined, { life, next }: PartitionEnd): boolean {
  if (point === undefined) return true;
  // The first life of all is 0: any later one may have been preceded by one that reached the offset.
  if (point.life === undefined) return next > point.offset || !life.startsWith('0000-');
  return life > point.life || (life === point.life && next > point.offset);
}

/** Tells for each partition whether what is read, in order, stands behind the point where it begins. */
export interface StartWatch {
  /** Whether any message of a range does. MUST be asked for the ranges in order, which may be ahead of their messages. */
  isIn(range: Pick<ChunkRange, 'partition' | 'life' | 'to'>): boolean;
  /** Whether a message does. MUST be asked in order for each message of a range that is in. */
  isPast(message: { readonly partition: number; readonly life: string; readonly offset: number }): boolean;
}

export function watchStart(from: ReadonlyMap<number, ArchivePoint>): StartWatch {
  const [ranges, messages] = [passing(from), passing(from)];
  return {
    isIn: ({ partition, life, to }) => ranges(partition, life, to - 1),
    isPast: ({ partition, life, offset }) => messages(partition, life, offset),
  };
}

/** Whether a place stands behind the point where its partition begins: once one does, so do all after it. */
function passing(from: ReadonlyMap<number, ArchivePoint>) {
  const begun = new Set<number>();
  return (partition: number, life: string, offset: number): boolean => {
    const point = from.get(partition);
    if (point === undefined || begun.has(partition)) return true;
    const isPast =
      point.life === undefined
        ? offset >= point.offset
        : life > point.life || (life === point.life && offset >= point.offset);
    if (isPast) begun.add(partition);
    return isPast;
  };
}
