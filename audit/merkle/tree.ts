import { MerkleAccumulator } from './accumulator.ts';
import { HASH_BYTES } from './hash.ts';

/** The Merkle tree hash of a list of leaf hashes (RFC 6962 section 2.1). */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  const tree = new MerkleAccumulator();
  for (const leaf of leafHashes) tree.append(leaf);
  return tree.root();
}

/** The same of leaf hashes that stand one after another in a buffer. */
export function rootOfHashes(hashes: Buffer): Uint8Array {
  const tree = new MerkleAccumulator();
  for (let at = 0; at < hashes.length; at += HASH_BYTES) tree.append(hashes.subarray(at, at + HASH_BYTES));
  return tree.root();
}

/** Where a tree of `size` leaves divides: the largest power of two below its size (k of RFC 6962 section 2.1). */
export function splitPoint(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** Whether a number can be a tree's size or a leaf's index. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
