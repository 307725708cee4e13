import { HASH_BYTES } from '../merkle/hash.ts';

/** The leaf hashes of one stretch of a log, as one copy has them. */
export interface BlockCopy {
  /** One hash after another; zero where the copy holds none. */
  readonly leaves: Buffer;
  /** One byte a leaf: 1 where the copy holds it. */
  readonly held: Uint8Array;
}

export function emptyBlock(count: number): BlockCopy {
  return { leaves: Buffer.alloc(count * HASH_BYTES), held: new Uint8Array(count) };
}

export function setLeaf(block: BlockCopy, index: number, leaf: Uint8Array): void {
  block.leaves.set(leaf, index * HASH_BYTES);
  block.held[index] = 1;
}

export function leafAt({ leaves, held }: BlockCopy, index: number): Buffer | undefined {
  return held[index] === 1 ? leaves.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES) : undefined;
}

/** Whether two copies agree on their first `count` leaves, holes included. */
export function agree(a: BlockCopy, b: BlockCopy, count: number): boolean {
  const bytes = count * HASH_BYTES;
  return (
    Buffer.compare(a.leaves.subarray(0, bytes), b.leaves.subarray(0, bytes)) === 0 &&
    Buffer.compare(a.held.subarray(0, count), b.held.subarray(0, count)) === 0
  );
}
