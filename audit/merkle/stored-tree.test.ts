import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MerkleAccumulator } from './accumulator.ts';
import { consistencyProof } from './consistency.ts';
import { HASH_BYTES, leafHash } from './hash.ts';
import { inclusionProof } from './inclusion.ts';
import { storedTree, type TreeSource } from './stored-tree.ts';
import { TileBuilder, type Tile } from './tiles.ts';
import { rootOf } from './tree.ts';

const LEAVES = Array.from({ length: 1100 }, (_, index) => leafHash(Buffer.from(String(index))));

/** Tiles as the builder gives them for so many leaves, and how often each was asked for. */
function kept(size: number, lost: (tile: Tile) => boolean = () => false): TreeSource & { readonly asked: string[] } {
  const builder = new TileBuilder();
  const tiles = new Map<string, Buffer>();
  for (const leaf of LEAVES.slice(0, size))
    for (const tile of builder.append(leaf)) if (!lost(tile)) tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
  const asked: string[] = [];
  return {
    asked,
    tile: (level, index) => {
      asked.push(`${level}/${index}`);
      return Promise.resolve(tiles.get(`${level}/${index}`));
    },
    leaves: (from, to) => Promise.resolve(Buffer.concat(LEAVES.slice(from, to))),
  };
}

const sizes = fc.oneof(fc.nat(LEAVES.length), fc.constantFrom(0, 1, 255, 256, 257, 511, 512, 1024));
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a tree read from its tiles', () => {
  it('has the root and the proofs of the tree of all its leaves', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, share, async (size, part) => {
        const leaves = LEAVES.slice(0, size);
        const tree = storedTree(kept(size), size);
        expect(await tree.root()).toEqual(rootOf(leaves));
        const first = Math.floor(part * (size + 1));
        expect(await tree.consistencyProof(first)).toEqual(consistencyProof(first, leaves));
        if (size === 0) return;
        const index = Math.floor(part * size);
        expect(await tree.inclusionProof(index)).toEqual(inclusionProof(index, leaves));
      }),
      { numRuns: 60 },
    );
  });

  it('is the same where tiles are lost: they are computed from what lies below', async () => {
    const tree = storedTree(
      kept(1100, ({ index }) => index % 2 === 0),
      1100,
    );
    expect(await tree.root()).toEqual(rootOf(LEAVES));
  });

  it('grows on as the tree that was never put aside', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        const tree = storedTree(kept(size), size);
        const [accumulator, builder] = [await tree.accumulator(), await tree.tileBuilder()];
        const [whole, wholeBuilder] = [new MerkleAccumulator(), new TileBuilder()];
        LEAVES.forEach((leaf, index) => {
          whole.append(leaf);
          const full = wholeBuilder.append(leaf);
          if (index < size) return;
          accumulator.append(leaf);
          expect(builder.append(leaf)).toEqual(full);
        });
        expect(accumulator.root()).toEqual(whole.root());
        expect(accumulator.copy().root()).toEqual(whole.root());
      }),
      { numRuns: 20 },
    );
  });

  it('reads few tiles for a proof', async () => {
    const source = kept(1024);
    await storedTree(source, 1024).inclusionProof(700);
    expect(source.asked.length).toBeLessThanOrEqual(5);
    expect(HASH_BYTES).toBe(32);
  });

  it('has no proof of what is not in it', async () => {
    const tree = storedTree(kept(3), 3);
    await expect(tree.inclusionProof(3)).rejects.toThrow(RangeError);
    await expect(tree.consistencyProof(4)).rejects.toThrow(RangeError);
  });
});
