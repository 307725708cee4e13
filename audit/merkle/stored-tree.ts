import { MerkleAccumulator } from './accumulator.ts';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './hash.ts';
import { isCount, rootOfHashes, splitPoint } from './tree.ts';
import { TILE_HEIGHT, TILE_WIDTH, TileBuilder } from './tiles.ts';

/** Where the hashes of a tree are kept. */
export interface TreeSource {
  /** A full tile, or undefined where it is not kept: then it is computed from what lies below. */
  tile(level: number, index: number): Promise<Buffer | undefined>;
  /** The leaf hashes from `from` up to but without `to`, at most 256 of them, one after another. */
  leaves(from: number, to: number): Promise<Buffer>;
}

/** A tree of `size` leaves that is read from where it is kept. Every method reads what it needs and no more. */
export interface StoredTree {
  root(): Promise<Uint8Array>;
  /** RFC 6962 section 2.1.1. Throws a RangeError where there is no such leaf. */
  inclusionProof(index: number): Promise<readonly Uint8Array[]>;
  /** RFC 6962 section 2.1.2, from the tree of the first `first` leaves. */
  consistencyProof(first: number): Promise<readonly Uint8Array[]>;
  /** An accumulator that goes on from here. */
  accumulator(): Promise<MerkleAccumulator>;
  /** A builder of tiles that goes on from here. */
  tileBuilder(): Promise<TileBuilder>;
}

/** How many tiles are asked for at once. */
const TILES_AT_ONCE = 32;

/** Reads a tree. Nothing is believed: whoever uses a root or a proof compares it with a signed checkpoint. */
export function storedTree(source: TreeSource, size: number): StoredTree {
  const rows = new Map<string, Promise<Buffer>>();

  /** The hashes of a tile, as many as the tree has of it. */
  const row = (level: number, index: number): Promise<Buffer> => {
    const key = `${level}/${index}`;
    const known = rows.get(key) ?? readRow(level, index);
    rows.set(key, known);
    return known;
  };

  const readRow = async (level: number, index: number): Promise<Buffer> => {
    const first = index * TILE_WIDTH;
    const count = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - first);
    const kept = count === TILE_WIDTH ? await source.tile(level, index) : undefined;
    if (kept?.length === TILE_WIDTH * HASH_BYTES) return kept;
    if (level === 0) return source.leaves(first, first + count);
    const hashes: Uint8Array[] = [];
    for (let start = 0; start < count; start += TILES_AT_ONCE) {
      const children = Array.from({ length: Math.min(TILES_AT_ONCE, count - start) }, (_, at) => first + start + at);
      const below = await Promise.all(children.map((child) => readRow(level - 1, child)));
      hashes.push(...below.map(rootOfHashes));
    }
    return Buffer.concat(hashes);
  };

  /** The root of the full subtree of 2^level leaves that is the index-th of its level. */
  const subtree = async (level: number, index: number): Promise<Uint8Array> => {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const width = 2 ** (level % TILE_HEIGHT);
    const first = index * width;
    const hashes = await row(tileLevel, Math.floor(first / TILE_WIDTH));
    const start = (first % TILE_WIDTH) * HASH_BYTES;
    return rootOfHashes(hashes.subarray(start, start + width * HASH_BYTES));
  };

  /** MTH of the leaves from `from` up to but without `to` (RFC 6962 section 2.1). */
  const range = async (from: number, to: number): Promise<Uint8Array> => {
    const length = to - from;
    if (length === 0) return EMPTY_ROOT;
    const level = Math.log2(length);
    if (Number.isInteger(level) && from % length === 0) return subtree(level, from / length);
    const split = from + splitPoint(length);
    return nodeHash(await range(from, split), await range(split, to));
  };

  const inclusion = async (index: number, from: number, to: number): Promise<Uint8Array[]> => {
    if (to - from === 1) return [];
    const split = from + splitPoint(to - from);
    return index < split
      ? [...(await inclusion(index, from, split)), await range(split, to)]
      : [...(await inclusion(index, split, to)), await range(from, split)];
  };

  /** SUBPROOF of RFC 6962 section 2.1.2; `known` says that the verifier already holds the root of these leaves. */
  const subproof = async (first: number, from: number, to: number, known: boolean): Promise<Uint8Array[]> => {
    if (first === to) return known ? [] : [await range(from, to)];
    const split = from + splitPoint(to - from);
    return first <= split
      ? [...(await subproof(first, from, split, known)), await range(split, to)]
      : [...(await subproof(first, split, to, false)), await range(from, split)];
  };

  return {
    root: () => range(0, size),
    async inclusionProof(index) {
      if (!isCount(index) || index >= size) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
      return inclusion(index, 0, size);
    },
    async consistencyProof(first) {
      if (!isCount(first) || first > size) throw new RangeError(`a tree of ${size} leaves never had ${first}`);
      return first === 0 ? [] : subproof(first, 0, size, true);
    },
    accumulator: () => MerkleAccumulator.resume(size, (level) => subtree(level, Math.floor(size / 2 ** level) - 1)),
    tileBuilder: () =>
      TileBuilder.resume(size, (level) =>
        Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH === 0
          ? Promise.resolve(Buffer.alloc(0))
          : row(level, Math.floor(size / TILE_WIDTH ** (level + 1))),
      ),
  };
}
