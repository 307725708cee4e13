import { HASH_BYTES } from './hash.ts';
import { rootOfHashes } from './tree.ts';

/** Levels of the tree that one tile spans, as in C2SP tlog-tiles. */
export const TILE_HEIGHT = 8;
/** Hashes of a full tile. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/**
 * 256 hashes that stand beside one another in the tree: leaf hashes at level 0, roots of full tiles of the level below
 * at the others. Full, it never changes again.
 */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 8,192 bytes. */
  readonly hashes: Buffer;
}

/** Forms tiles of leaf hashes as a tree grows. Keeps one unfinished tile a level. */
export class TileBuilder {
  readonly #unfinished: { index: number; count: number; hashes: Buffer }[] = [];

  /** Goes on with a tree of `size` leaves; `hashes(level)` are those of the level's unfinished tile. */
  static async resume(size: number, hashes: (level: number) => Promise<Buffer>): Promise<TileBuilder> {
    const builder = new TileBuilder();
    for (let level = 0, width = size; width > 0; level += 1, width = Math.floor(width / TILE_WIDTH)) {
      const tile = builder.#level(level);
      tile.index = Math.floor(width / TILE_WIDTH);
      tile.count = width % TILE_WIDTH;
      (await hashes(level)).copy(tile.hashes, 0, 0, tile.count * HASH_BYTES);
    }
    return builder;
  }

  /** Takes the next leaf hash and returns the tiles that it fills, lowest level first. */
  append(leafHash: Uint8Array): readonly Tile[] {
    return this.#append(0, leafHash);
  }

  #append(level: number, hash: Uint8Array): Tile[] {
    const tile = this.#level(level);
    tile.hashes.set(hash, tile.count * HASH_BYTES);
    tile.count += 1;
    if (tile.count < TILE_WIDTH) return [];
    const full: Tile = { level, index: tile.index, hashes: tile.hashes };
    this.#unfinished[level] = { index: tile.index + 1, count: 0, hashes: emptyTile() };
    return [full, ...this.#append(level + 1, rootOfHashes(full.hashes))];
  }

  #level(level: number): { index: number; count: number; hashes: Buffer } {
    return (this.#unfinished[level] ??= { index: 0, count: 0, hashes: emptyTile() });
  }
}

function emptyTile(): Buffer {
  return Buffer.alloc(TILE_WIDTH * HASH_BYTES);
}
