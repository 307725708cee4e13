import { beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/failure.ts';
import { createPartitionPositions, type CommittedPosition, type PartitionPositions } from './partition-positions.ts';

const LIFE = 'life-1';
const at = (offset: bigint, incarnation = LIFE): ReadonlyMap<number, CommittedPosition> =>
  new Map([[0, { offset, incarnation }]]);

let positions: PartitionPositions;

/** Records `first` to `last` of partition 0 arrive and are taken in. */
function pass(first: bigint, last: bigint): void {
  positions.arrive(0, first);
  positions.take(0, last);
}

/** The code with which records at `first` are refused, once they came again when asked for. */
function refusal(first: bigint): string {
  expect(codeOf(() => positions.arrive(0, first))).toBe('KAFKA_UNREACHABLE');
  return codeOf(() => positions.arrive(0, first));
}

const commit = (offset: bigint): void => positions.commit(new Map([[0, offset]]));
const committable = (offset: bigint): boolean => positions.committable(new Map([[0, offset]])).has(0);
const join = (committed: ReadonlyMap<number, CommittedPosition>): void => {
  positions.leave();
  positions.rejoin(committed);
};

beforeEach(() => {
  positions = createPartitionPositions('readings');
});

describe('records that arrive', () => {
  it('may begin anywhere where nothing was ever committed, in an incarnation of their own', () => {
    join(new Map());
    const { incarnation, isNew } = positions.arrive(0, 40n);
    expect(isNew).toBe(true);
    expect(positions.incarnations()).toEqual(new Map([[0, incarnation]]));
  });

  it('go on where the group committed, in the incarnation that it names', () => {
    join(at(100n));
    expect(positions.arrive(0, 100n)).toEqual({ incarnation: LIFE, isNew: false });
  });

  it('are refused where some were passed over', () => {
    join(at(100n));
    expect(refusal(101n)).toBe('KAFKA_OFFSET_LOST');
  });

  it('are refused where they begin anew', () => {
    join(at(100n));
    pass(100n, 149n);
    expect(refusal(0n)).toBe('KAFKA_OFFSET_LOST');
  });

  it('are only asked for again where they were fetched before the member joined anew', () => {
    join(at(100n));
    expect(codeOf(() => positions.arrive(0, 150n))).toBe('KAFKA_UNREACHABLE');
    expect(codeOf(() => pass(100n, 149n))).toBe('no error');
    expect(codeOf(() => positions.arrive(0, 200n))).toBe('KAFKA_UNREACHABLE');
  });

  it('can be offered again while they are judged but not taken in', () => {
    join(new Map());
    positions.arrive(0, 0n);
    expect(codeOf(() => pass(0n, 99n))).toBe('no error');
  });

  it('come again after joining where their commit was not acknowledged', () => {
    join(at(100n));
    pass(100n, 299n);
    // Windows up to 200 and 300 ended, but no commit of theirs reached the group.
    join(at(100n));
    expect(codeOf(() => pass(100n, 199n))).toBe('no error');
  });

  it('go on where another member committed meanwhile', () => {
    join(at(100n));
    pass(100n, 199n);
    join(at(900n));
    expect(codeOf(() => pass(900n, 999n))).toBe('no error');
  });
});

describe('a commit that was found out of range', () => {
  it('is an alarm, also for the member that comes after', () => {
    expect(codeOf(() => join(at(-2n, '')))).toBe('KAFKA_OFFSET_LOST');
    expect(codeOf(() => join(at(-2n, '')))).toBe('KAFKA_OFFSET_LOST');
  });

  it('says where the group was', () => {
    join(at(100n));
    expect(() => join(at(-2n, ''))).toThrow(/committed, 100, was out of range/);
  });
});

describe('a topic made again', () => {
  it('is noticed by a commit that is gone', () => {
    join(at(100n));
    pass(100n, 199n);
    commit(200n);
    expect(codeOf(() => join(new Map()))).toBe('KAFKA_OFFSET_LOST');
  });

  it('is noticed by a commit of another incarnation', () => {
    join(at(100n));
    expect(codeOf(() => join(at(700n, 'life-2')))).toBe('KAFKA_OFFSET_LOST');
  });

  it('is noticed without joining, too', () => {
    join(at(100n));
    expect(codeOf(() => positions.confirm(at(100n)))).toBe('no error');
    expect(codeOf(() => positions.confirm(new Map()))).toBe('KAFKA_OFFSET_LOST');
  });

  it('is none where this member never committed', () => {
    join(new Map());
    positions.arrive(0, 0n);
    expect(codeOf(() => join(new Map()))).toBe('no error');
  });
});

describe('a commit', () => {
  beforeEach(() => {
    join(at(100n));
  });

  it('is allowed up to what was taken in', () => {
    pass(100n, 199n);
    expect([committable(150n), committable(200n), committable(201n)]).toEqual([true, true, false]);
  });

  it('is refused for a partition of which nothing arrived since joining: it may be another member’s', () => {
    pass(100n, 199n);
    join(at(100n));
    expect(committable(200n)).toBe(false);
  });

  it('never takes back what is committed', () => {
    pass(100n, 299n);
    commit(250n);
    expect([committable(200n), committable(250n), committable(251n)]).toEqual([false, false, true]);
  });
});
