/** A range of Murmur3 tokens, without its beginning and with its end. */
export interface TokenRange {
  readonly from: bigint;
  readonly to: bigint;
}

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** The whole ring in `count` ranges of one size, in order. */
export function tokenRanges(count: number): readonly TokenRange[] {
  const size = (MOST - LEAST) / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    from: LEAST + size * BigInt(index),
    to: index === count - 1 ? MOST : LEAST + size * BigInt(index + 1),
  }));
}
