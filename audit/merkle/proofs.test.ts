import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MerkleAccumulator } from './accumulator.ts';
import { consistencyProof, verifyConsistency } from './consistency.ts';
import { EMPTY_ROOT, leafHash } from './hash.ts';
import { inclusionProof, verifyInclusion } from './inclusion.ts';
import { rootOf } from './tree.ts';

const leaves = fc
  .array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 70 })
  .map((contents) => contents.map(leafHash));
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (share: number, count: number): number => Math.floor(share * count);

function withBitFlipped(hash: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(hash);
  const place = bit % (changed.length * 8);
  changed[place >> 3] = (changed[place >> 3] ?? 0) ^ (1 << (place & 7));
  return changed;
}

describe('inclusion proofs', () => {
  it('are accepted for every leaf of every tree', () => {
    fc.assert(
      fc.property(leaves, (tree) => {
        const claims = tree.map((leaf, index) => ({ index, size: tree.length, leafHash: leaf, root: rootOf(tree) }));
        for (const claim of claims)
          expect(verifyInclusion({ ...claim, proof: inclusionProof(claim.index, tree) })).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('are refused after any change of leaf, root, proof, index or length', () => {
    fc.assert(
      fc.property(leaves, fraction, fc.nat(), fraction, (tree, share, bit, where) => {
        const index = at(share, tree.length);
        const proof = inclusionProof(index, tree);
        const claim = { index, size: tree.length, leafHash: tree[index] ?? EMPTY_ROOT, root: rootOf(tree), proof };
        expect(verifyInclusion({ ...claim, leafHash: withBitFlipped(claim.leafHash, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, root: withBitFlipped(claim.root, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, EMPTY_ROOT] })).toBe(false);
        expect(verifyInclusion({ ...claim, index: claim.size })).toBe(false);
        if (proof.length === 0) return;
        const place = at(where, proof.length);
        const changed = proof.map((hash, i) => (i === place ? withBitFlipped(hash, bit) : hash));
        expect(verifyInclusion({ ...claim, proof: changed })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.toSpliced(place, 1) })).toBe(false);
      }),
    );
  });

  it('are refused where an index or a hash has no proper form', () => {
    const leaf = leafHash(Buffer.from('a'));
    const claim = { index: 0, size: 1, leafHash: leaf, root: leaf, proof: [] };
    expect(verifyInclusion(claim)).toBe(true);
    expect(verifyInclusion({ ...claim, index: -1 })).toBe(false);
    expect(verifyInclusion({ ...claim, index: 0.5 })).toBe(false);
    expect(verifyInclusion({ ...claim, leafHash: leaf.subarray(1), root: leaf.subarray(1) })).toBe(false);
    expect(() => inclusionProof(1, [leaf])).toThrow(RangeError);
  });
});

describe('consistency proofs', () => {
  it('are accepted between any two sizes of a tree that only grew', () => {
    fc.assert(
      fc.property(leaves, (tree) => {
        for (let size = 0; size <= tree.length; size += 1) {
          const firstRoot = rootOf(tree.slice(0, size));
          const roots = { firstRoot, secondRoot: rootOf(tree) };
          const claim = { firstSize: size, secondSize: tree.length, ...roots, proof: consistencyProof(size, tree) };
          expect(verifyConsistency(claim)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('are refused once a leaf of the first tree was changed', () => {
    fc.assert(
      fc.property(leaves, fraction, fraction, fc.nat(), (tree, firstShare, leafShare, bit) => {
        const size = 1 + at(firstShare, tree.length);
        const changedAt = at(leafShare, size);
        const changed = tree.map((leaf, index) => (index === changedAt ? withBitFlipped(leaf, bit) : leaf));
        const claim = {
          firstSize: size,
          firstRoot: rootOf(tree.slice(0, size)),
          secondSize: tree.length,
          secondRoot: rootOf(changed),
          proof: consistencyProof(size, changed),
        };
        expect(verifyConsistency(claim)).toBe(false);
      }),
    );
  });

  it('are refused after any change of a root, a proof or its length', () => {
    fc.assert(
      fc.property(leaves, fraction, fraction, fc.nat(), (tree, firstShare, where, bit) => {
        const size = 1 + at(firstShare, tree.length);
        const proof = consistencyProof(size, tree);
        const roots = { firstRoot: rootOf(tree.slice(0, size)), secondRoot: rootOf(tree) };
        const claim = { firstSize: size, secondSize: tree.length, ...roots, proof };
        expect(verifyConsistency({ ...claim, firstRoot: withBitFlipped(claim.firstRoot, bit) })).toBe(false);
        expect(verifyConsistency({ ...claim, secondRoot: withBitFlipped(claim.secondRoot, bit) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, EMPTY_ROOT] })).toBe(false);
        if (proof.length === 0) return;
        const place = at(where, proof.length);
        const changed = proof.map((hash, i) => (i === place ? withBitFlipped(hash, bit) : hash));
        expect(verifyConsistency({ ...claim, proof: changed })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.toSpliced(place, 1) })).toBe(false);
      }),
    );
  });

  it('are refused for a shrinking tree and for a false empty one', () => {
    const tree = ['a', 'b'].map((content) => leafHash(Buffer.from(content)));
    const whole = rootOf(tree);
    expect(
      verifyConsistency({
        firstSize: 2,
        firstRoot: whole,
        secondSize: 1,
        secondRoot: rootOf(tree.slice(0, 1)),
        proof: [],
      }),
    ).toBe(false);
    expect(verifyConsistency({ firstSize: 0, firstRoot: whole, secondSize: 2, secondRoot: whole, proof: [] })).toBe(
      false,
    );
    expect(() => consistencyProof(3, tree)).toThrow(RangeError);
  });
});

describe('MerkleAccumulator', () => {
  it('gives the same root by digest as by leaf hash, at every size', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 40 }), (digests) => {
        const byDigest = new MerkleAccumulator();
        for (const [index, digest] of digests.entries()) {
          byDigest.appendDigest(Buffer.from(digest));
          expect(byDigest.root()).toEqual(rootOf(digests.slice(0, index + 1).map(leafHash)));
        }
        expect(byDigest.size).toBe(digests.length);
      }),
      { numRuns: 30 },
    );
  });

  it('takes a digest from among others', () => {
    const digests = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
    const [among, alone] = [new MerkleAccumulator(), new MerkleAccumulator()];
    among.appendDigest(digests, 32);
    alone.appendDigest(Buffer.alloc(32, 2));
    expect(among.root()).toEqual(alone.root());
    expect(() => among.appendDigest(digests, 33)).toThrow(RangeError);
  });

  it('refuses a hash of another length', () => {
    expect(() => new MerkleAccumulator().append(new Uint8Array(31))).toThrow(RangeError);
    expect(() => new MerkleAccumulator().appendDigest(Buffer.alloc(31))).toThrow(RangeError);
  });
});
