import { expect, test } from 'vitest';
import { isMet, median, percentile } from './figure.ts';

test('the median is the middle value, or the mean of the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test('a percentile is the nearest rank: a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_unused, index) => 100 - index);
  expect(percentile(hundred, 50)).toBe(50);
  expect(percentile(hundred, 99)).toBe(99);
  expect(percentile(hundred, 100)).toBe(100);
  expect(percentile([7], 1)).toBe(7);
  expect(percentile([], 50)).toBeNaN();
});

test('a target is met at its bound and on one side of it', () => {
  const figure = { name: 'ratio', unit: '×' };
  expect(isMet({ ...figure, value: 2, target: { atLeast: 2 } })).toBe(true);
  expect(isMet({ ...figure, value: 1.99, target: { atLeast: 2 } })).toBe(false);
  expect(isMet({ ...figure, value: 30, target: { atMost: 30 } })).toBe(true);
  expect(isMet({ ...figure, value: 30.1, target: { atMost: 30 } })).toBe(false);
});

test('what could not be computed meets no target', () => {
  const figure = { name: 'ratio', unit: '×', value: NaN };
  expect(isMet({ ...figure, target: { atLeast: 0 } })).toBe(false);
  expect(isMet({ ...figure, target: { atMost: 1 } })).toBe(false);
});
