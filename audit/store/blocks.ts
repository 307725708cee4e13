import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';

/** The block, a partition of bounded size, in which the event or checkpoint of this sequence or size stands. */
export function blockOf(sequence: number): number {
  return Math.floor(sequence / EVENTS_PER_BLOCK);
}

/** The first sequence of a block. */
export function blockStart(block: number): number {
  return block * EVENTS_PER_BLOCK;
}

/**
 * Where a block stops that is one of a row without holes, each found by asking `holds`: the number of blocks from 0 that
 * hold something. Doubles, then halves: two dozen questions for a million blocks. `hint` is a block that is likely held.
 */
export async function heldBlocks(holds: (block: number) => Promise<boolean>, hint = 0): Promise<number> {
  let held = -1;
  let step = 1;
  let next = hint;
  while (await holds(next)) {
    held = next;
    next += step;
    step *= 2;
  }
  let free = next;
  while (free - held > 1) {
    const middle = Math.floor((held + free) / 2);
    if (await holds(middle)) held = middle;
    else free = middle;
  }
  return held + 1;
}
