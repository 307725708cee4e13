import { randomUUID } from 'node:crypto';
import { WardlineError } from '../../core/errors/errors.ts';

/** What a group has committed of one partition. */
export interface CommittedPosition {
  /** Negative where a client found the committed offset out of range and committed "the earliest" in its place. */
  readonly offset: bigint;
  /** The commit's metadata; empty where somebody else committed. */
  readonly incarnation: string;
}

interface PartitionPosition {
  readonly incarnation: string;
  /** Offset of the next record, where it is known. */
  expected: bigint | undefined;
  /** After joining, records may come again, but none from before what was committed one commit earlier. */
  floor: bigint | undefined;
  committed: bigint | undefined;
  beforeCommitted: bigint | undefined;
  /** Nothing is committed yet: the incarnation is not on record. */
  isNew: boolean;
  /** Records were taken in since the member joined: the partition is its own. */
  isTaken: boolean;
  /** The last records did not go on where they should. */
  isSuspect: boolean;
}

/**
 * Where one member of a group stands on each partition of a topic, and in which incarnation of it. An incarnation is one
 * life of a partition: Kafka deletes committed offsets together with their topic, so a topic that was made again is
 * recognised by commits that are gone or bear no incarnation.
 */
export interface PartitionPositions {
  /** The member joined the group anew: which partitions are its own shows only when their records arrive. */
  leave(): void;
  /**
   * After joining the group: what it committed counts, and what is remembered of the same incarnations.
   * Throws KAFKA_OFFSET_LOST where a commit that this member knows is gone, or was found out of range.
   */
  rejoin(committed: ReadonlyMap<number, CommittedPosition>): void;
  /**
   * Judges records of a partition that begin at `first`, before they are taken in. Throws KAFKA_OFFSET_LOST where records
   * were passed over or come from before all that was committed: clients reset an offset that is out of range in silence.
   * The first time it throws KAFKA_UNREACHABLE, so that they are asked for again: they may have been fetched before the
   * member joined anew.
   */
  arrive(partition: number, first: bigint): { readonly incarnation: string; readonly isNew: boolean };
  /** Notes that records of a partition up to `last` were taken in. */
  take(partition: number, last: bigint): void;
  /**
   * Of these next offsets, those that this member may commit: the group would take any, also for a partition that another
   * member has by now and has committed further.
   */
  committable(next: ReadonlyMap<number, bigint>): ReadonlyMap<number, bigint>;
  /** Notes what the group has acknowledged as committed. */
  commit(next: ReadonlyMap<number, bigint>): void;
  /** Throws KAFKA_OFFSET_LOST where the group no longer knows a commit of this member. */
  confirm(committed: ReadonlyMap<number, CommittedPosition>): void;
  incarnations(): ReadonlyMap<number, string>;
}

export function createPartitionPositions(topic: string): PartitionPositions {
  let positions = new Map<number, PartitionPosition>();
  return {
    leave() {
      for (const position of positions.values()) position.isTaken = false;
    },
    rejoin(committed) {
      requireCommits(topic, positions, committed);
      const partitions = [...new Set([...positions.keys(), ...committed.keys()])];
      positions = new Map(
        partitions.map((partition) => [partition, afterJoin(positions.get(partition), committed.get(partition))]),
      );
    },
    arrive(partition, first) {
      const position = positions.get(partition) ?? afterJoin(undefined, undefined);
      positions.set(partition, position);
      const { expected, floor, incarnation, isNew } = position;
      if (expected !== undefined && (first > expected || first < (floor ?? expected))) {
        const isLost = position.isSuspect;
        position.isSuspect = true;
        throw isLost ? lost(topic, partition, expected, first) : doubtful(topic, partition, expected, first);
      }
      position.isSuspect = false;
      return { incarnation, isNew };
    },
    take(partition, last) {
      const position = positions.get(partition);
      if (position === undefined) return;
      position.expected = last + 1n;
      position.floor = position.expected;
      position.isTaken = true;
    },
    committable: (next) =>
      new Map([...next].filter(([partition, offset]) => mayCommit(positions.get(partition), offset))),
    commit(next) {
      for (const [partition, offset] of next) {
        const position = positions.get(partition);
        if (position === undefined || offset < (position.committed ?? 0n)) continue;
        position.beforeCommitted = position.committed ?? offset;
        position.committed = offset;
        position.isNew = false;
      }
    },
    confirm: (committed) => requireCommits(topic, positions, committed),
    incarnations: () => new Map([...positions].map(([partition, { incarnation }]) => [partition, incarnation])),
  };
}

function afterJoin(before: PartitionPosition | undefined, known: CommittedPosition | undefined): PartitionPosition {
  const marked = known !== undefined && known.incarnation !== '';
  const incarnation = marked ? known.incarnation : randomUUID();
  const offset = known?.offset;
  const remembered = before?.incarnation === incarnation ? before.beforeCommitted : undefined;
  const earlier = remembered !== undefined && offset !== undefined && remembered < offset ? remembered : offset;
  return {
    ...{ incarnation, expected: offset, floor: earlier, committed: offset, beforeCommitted: earlier },
    ...{ isNew: !marked, isTaken: false, isSuspect: false },
  };
}

function mayCommit(position: PartitionPosition | undefined, offset: bigint): boolean {
  if (position?.isTaken !== true) return false;
  return offset <= (position.expected ?? 0n) && offset > (position.committed ?? -1n);
}

/** Nobody takes a commit back but whoever deletes the topic or resets the group. */
function requireCommits(
  topic: string,
  positions: ReadonlyMap<number, PartitionPosition>,
  committed: ReadonlyMap<number, CommittedPosition>,
): void {
  for (const [partition, { offset }] of committed) {
    if (offset >= 0n) continue;
    const before = positions.get(partition)?.committed;
    throw new WardlineError(
      'KAFKA_OFFSET_LOST',
      `${topic}/${partition}: the offset that the group had committed${before === undefined ? '' : `, ${before},`} was out of range`,
      { hint: LOST_HINT },
    );
  }
  for (const [partition, before] of positions) {
    if (before.committed === undefined || before.isNew) continue;
    if (committed.get(partition)?.incarnation === before.incarnation) continue;
    throw new WardlineError(
      'KAFKA_OFFSET_LOST',
      `${topic}/${partition}: offset ${before.committed} was committed, and the group no longer knows of it`,
      { hint: LOST_HINT },
    );
  }
}

const LOST_HINT =
  'records were deleted before they were read, or the topic was made again; restore the topic, or reset the group once the loss is understood';

function lost(topic: string, partition: number, expected: bigint, first: bigint): WardlineError {
  return new WardlineError(
    'KAFKA_OFFSET_LOST',
    `${topic}/${partition}: the next record should be at offset ${expected}, but the topic goes on at ${first}`,
    { hint: LOST_HINT },
  );
}

function doubtful(topic: string, partition: number, expected: bigint, first: bigint): WardlineError {
  return new WardlineError(
    'KAFKA_UNREACHABLE',
    `${topic}/${partition}: the next record should be at offset ${expected}, and one at ${first} came; asking again`,
  );
}
