import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';
import { isCount, rootOf, splitPoint } from './tree.ts';

/**
 * The proof that the tree of the first `size` leaves is the beginning of the whole tree (RFC 6962 section 2.1.2).
 * It is empty where there is nothing to prove: for no leaves, and for all of them.
 * Throws a RangeError where the tree has fewer leaves than `size`.
 */
export function consistencyProof(size: number, leafHashes: readonly Uint8Array[]): Uint8Array[] {
  if (!isCount(size) || size > leafHashes.length)
    throw new RangeError(`a tree of ${leafHashes.length} leaves never had ${size}`);
  return size === 0 ? [] : subproof(size, leafHashes, true);
}

/** SUBPROOF of RFC 6962 section 2.1.2; `known` says that the verifier already holds the root of these leaves. */
function subproof(size: number, leafHashes: readonly Uint8Array[], known: boolean): Uint8Array[] {
  if (size === leafHashes.length) return known ? [] : [rootOf(leafHashes)];
  const split = splitPoint(leafHashes.length);
  const left = leafHashes.slice(0, split);
  const right = leafHashes.slice(split);
  return size <= split
    ? [...subproof(size, left, known), rootOf(right)]
    : [...subproof(size - split, right, false), rootOf(left)];
}

export interface ConsistencyClaim {
  readonly firstSize: number;
  readonly firstRoot: Uint8Array;
  readonly secondSize: number;
  readonly secondRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the proof shows that the first tree is the beginning of the second (RFC 9162 section 2.1.4.2). Never throws. */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { firstSize, firstRoot, secondSize, secondRoot, proof } = claim;
  if (!isCount(firstSize) || !isCount(secondSize) || firstSize > secondSize) return false;
  if (![firstRoot, secondRoot, ...proof].every((hash) => hash.length === HASH_BYTES)) return false;
  if (firstSize === secondSize) return proof.length === 0 && equal(firstRoot, secondRoot);
  if (firstSize === 0) return proof.length === 0 && equal(firstRoot, EMPTY_ROOT);
  return proof.length > 0 && pathFits(claim);
}

function pathFits({ firstSize, firstRoot, secondSize, secondRoot, proof }: ConsistencyClaim): boolean {
  // A first tree that is full is itself a node of the second: the proof leaves it out.
  const [start, ...rest] = isPowerOfTwo(firstSize) ? [firstRoot, ...proof] : proof;
  if (start === undefined) return false;
  let node = firstSize - 1;
  let last = secondSize - 1;
  const rise = (): void => {
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  };
  while (node % 2 === 1) rise();
  let first = start;
  let second = start;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      first = nodeHash(sibling, first);
      second = nodeHash(sibling, second);
      while (node % 2 === 0 && node !== 0) rise();
    } else {
      second = nodeHash(second, sibling);
    }
    rise();
  }
  return last === 0 && equal(first, firstRoot) && equal(second, secondRoot);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value)) && 2 ** Math.log2(value) === value;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
