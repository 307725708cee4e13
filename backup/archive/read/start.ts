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
  /** Whether any message of a range may. */
  isIn(range: Pick<ChunkRange, 'partition' | 'life' | 'to'>): boolean;
  /** Whether a message does; MUST be called for each message of a range that may. */
  isPast(message: { readonly partition: number; readonly life: string; readonly offset: number }): boolean;
}

export function watchStart(from: ReadonlyMap<number, ArchivePoint>): StartWatch {
  const begun = new Set<number>();
  const isPast = (partition: number, life: string, offset: number): boolean => {
    const point = from.get(partition);
    if (point === undefined || begun.has(partition)) return true;
    if (point.life === undefined) return offset >= point.offset;
    return life > point.life || (life === point.life && offset >= point.offset);
  };
  return {
    isIn: ({ partition, life, to }) => isPast(partition, life, to - 1),
    isPast({ partition, life, offset }) {
      const past = isPast(partition, life, offset);
      if (past) begun.add(partition);
      return past;
    },
  };
}
