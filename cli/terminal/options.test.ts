import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { byteCount } from './options.ts';

it.each([
  ['1', 1],
  ['64B', 64],
  ['500kB', 500_000],
  ['10MB', 10_000_000],
  ['2G', 2_000_000_000],
])('reads %s as a number of bytes', (text, bytes) => {
  expect(byteCount(text)).toBe(bytes);
});

it.each(['', '0', '0MB', '-1', '1.5MB', 'MB', '10 MB', '10mb', '1e9', '10MBit'])('refuses %j as one', (text) => {
  expect(() => byteCount(text)).toThrow(InvalidArgumentError);
});
