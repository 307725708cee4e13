import { hash } from 'node:crypto';

/**
 * A digest over rows in any order: the sum, modulo 2^256, of the SHA-256 of every row. Two tables with the same rows have
 * the same sum, however they are divided among nodes and files; the sums of parts add up to that of the whole. Against
 * accidents and single changes it is as good as a hash; it is no proof against somebody who can choose many rows at will.
 */
export interface RowSum {
  /** Adds a row; a text counts as its UTF-8 bytes. */
  add(row: Uint8Array | string): void;
  addSum(other: RowSum): void;
  readonly rows: number;
  /** 64 hexadecimal digits. */
  hex(): string;
  /** The eight 32-bit words, the lowest first; for addSum. */
  readonly words: readonly number[];
}

const WORDS = 8;
const WORD = 2 ** 32;
/** A word may hold this many sums before it must be carried on: 2^20 · 2^32 is exact in a double. */
const ADDITIONS = 2 ** 20;

export function createRowSum(): RowSum {
  const words = new Array<number>(WORDS).fill(0);
  let rows = 0;
  let pending = 0;
  const carry = (): void => {
    let over = 0;
    for (let index = 0; index < WORDS; index += 1) {
      const total = (words[index] ?? 0) + over;
      words[index] = total % WORD;
      over = Math.floor(total / WORD);
    }
    pending = 0;
  };
  return {
    add(row) {
      const digest = hash('sha256', row, 'buffer');
      for (let index = 0; index < WORDS; index += 1)
        words[index] = (words[index] ?? 0) + digest.readUInt32BE((WORDS - 1 - index) * 4);
      rows += 1;
      pending += 1;
      if (pending === ADDITIONS) carry();
    },
    addSum(other) {
      carry();
      for (let index = 0; index < WORDS; index += 1) words[index] = (words[index] ?? 0) + (other.words[index] ?? 0);
      rows += other.rows;
      carry();
    },
    get rows() {
      return rows;
    },
    get words() {
      carry();
      return words;
    },
    hex() {
      carry();
      return words
        .toReversed()
        .map((word) => word.toString(16).padStart(8, '0'))
        .join('');
    },
  };
}
