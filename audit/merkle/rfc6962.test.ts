import { describe, expect, it } from 'vitest';
import { MerkleAccumulator } from './accumulator.ts';
import { consistencyProof, verifyConsistency } from './consistency.ts';
import { EMPTY_ROOT, leafHash } from './hash.ts';
import { inclusionProof, verifyInclusion } from './inclusion.ts';
import { rootOf } from './tree.ts';

// Known values of the reference implementation of Certificate Transparency (google/certificate-transparency,
// merkle_tree_test.cc), which other logs' implementations (transparency-dev/merkle among them) test against too.
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
] as const;

const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
] as const;

const INCLUSION = [
  { index: 0, size: 1, proof: [] },
  {
    index: 0,
    size: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    index: 5,
    size: 8,
    proof: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { index: 2, size: 3, proof: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    index: 1,
    size: 5,
    proof: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
] as const;

const CONSISTENCY = [
  { first: 1, second: 1, proof: [] },
  {
    first: 1,
    second: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    first: 6,
    second: 8,
    proof: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    first: 2,
    second: 5,
    proof: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
] as const;

const bytes = (hex: string | undefined): Uint8Array => Buffer.from(hex ?? '', 'hex');
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');
const hashes = (size: number): Uint8Array[] => LEAVES.slice(0, size).map((leaf) => leafHash(bytes(leaf)));

describe('the known values of Certificate Transparency', () => {
  it.each(ROOTS.map((root, size) => ({ size, root })))('has the root of $size leaves', ({ size, root }) => {
    const growing = new MerkleAccumulator();
    for (const leaf of hashes(size)) growing.append(leaf);
    expect(hex(growing.root())).toBe(root);
    expect(hex(rootOf(hashes(size)))).toBe(root);
  });

  it('has the root of no leaves', () => {
    expect(hex(EMPTY_ROOT)).toBe(ROOTS[0]);
  });

  it.each(INCLUSION)('makes and accepts the inclusion proof of leaf $index in $size', ({ index, size, proof }) => {
    expect(inclusionProof(index, hashes(size)).map(hex)).toEqual(proof);
    const leaf = leafHash(bytes(LEAVES[index]));
    const claim = { index, size, leafHash: leaf, root: bytes(ROOTS[size]), proof: proof.map(bytes) };
    expect(verifyInclusion(claim)).toBe(true);
  });

  it.each(CONSISTENCY)('makes and accepts the consistency proof from $first to $second', ({ first, second, proof }) => {
    expect(consistencyProof(first, hashes(second)).map(hex)).toEqual(proof);
    const roots = { firstRoot: bytes(ROOTS[first]), secondRoot: bytes(ROOTS[second]) };
    expect(verifyConsistency({ firstSize: first, secondSize: second, ...roots, proof: proof.map(bytes) })).toBe(true);
  });
});
