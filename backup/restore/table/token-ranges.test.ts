import { expect, it } from 'vitest';
import { tokenRanges } from './token-ranges.ts';

it.each([1, 7, 64])('%i ranges cover the ring of Murmur3 tokens, without a gap or an overlap', (count) => {
  const ranges = tokenRanges(count);
  expect(ranges).toHaveLength(count);
  expect(ranges[0]?.from).toBe(-(2n ** 63n));
  expect(ranges.at(-1)?.to).toBe(2n ** 63n - 1n);
  for (const [index, { from, to }] of ranges.entries()) {
    expect(from < to).toBe(true);
    if (index > 0) expect(from).toBe(ranges[index - 1]?.to);
  }
});
