/**
 * A number from 0 (included) to 1 that depends on nothing but its arguments: the same reading comes out the same, whether the
 * source is read from its beginning or from the middle. Not for secrets. (Multiply-xorshift mixing of 32-bit words.)
 */
export function unit(seed: number, a: number, b: number, c: number): number {
  let word = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  word = mixed(word ^ Math.imul(a + 1, 0xc2b2ae35));
  word = mixed(word ^ Math.imul(b + 1, 0x27d4eb2f));
  word = mixed(word ^ Math.imul(c + 1, 0x165667b1));
  return word / 4294967296;
}

function mixed(word: number): number {
  let result = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  result = Math.imul(result ^ (result >>> 15), 0x846ca68b);
  return (result ^ (result >>> 16)) >>> 0;
}

/** As `unit`, but changing smoothly with `at`, which need not be whole. */
export function smoothUnit(seed: number, stream: number, at: number): number {
  const whole = Math.floor(at);
  const fraction = at - whole;
  const weight = fraction * fraction * (3 - 2 * fraction);
  return unit(seed, stream, whole, 0) * (1 - weight) + unit(seed, stream, whole + 1, 0) * weight;
}
