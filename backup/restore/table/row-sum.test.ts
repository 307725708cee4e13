import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRowSum } from './row-sum.ts';

/** The same with big integers, as the definition reads. */
function expected(rows: readonly Uint8Array[]): string {
  const sum = rows.reduce((total, row) => total + BigInt(`0x${createHash('sha256').update(row).digest('hex')}`), 0n);
  return (sum % 2n ** 256n).toString(16).padStart(64, '0');
}

const rowsOf = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });

describe('the sum of rows', () => {
  it('is that of their hashes modulo 2^256, in whatever order and parts', () => {
    fc.assert(
      fc.property(rowsOf, rowsOf, (first, second) => {
        const [one, other, all] = [createRowSum(), createRowSum(), createRowSum()];
        for (const row of first) one.add(row);
        for (const row of second) other.add(row);
        for (const row of [...second, ...first].toReversed()) all.add(row);
        one.addSum(other);
        expect(one.hex()).toBe(expected([...first, ...second]));
        expect(all.hex()).toBe(one.hex());
        expect(one.rows).toBe(first.length + second.length);
      }),
    );
  });

  it('carries over 2^256, and is another when a row is twice there', () => {
    const rows = Array.from({ length: 300 }, () => randomBytes(32));
    const sum = createRowSum();
    for (const row of [...rows, ...rows]) sum.add(row);
    expect(sum.hex()).toBe(expected([...rows, ...rows]));
    const once = createRowSum();
    for (const row of rows) once.add(row);
    expect(once.hex()).not.toBe(sum.hex());
  });

  it('of nothing is zero', () => {
    expect(createRowSum().hex()).toBe('0'.repeat(64));
  });
});
