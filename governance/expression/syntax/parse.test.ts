import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimestamp } from '../types/calendar.ts';
import { decimalType } from '../types/type.ts';
import { numberLiteral } from './literals.ts';
import { parse } from './parse.ts';
import { STANDARD, print } from './print.ts';
import type { BinaryOperator, Tree } from './tree.ts';

const at = 0;

test.each([
  ['1 + 2 * 3', '1 + (2 * 3)'],
  ['1 - 2 - 3', '(1 - 2) - 3'],
  ['-a * b', '(-a) * b'],
  ['- -5', '-(-5)'],
  ['2 - -5', '2 - (-5)'],
  ["a || 'x' = b", "(a || 'x') = b"],
  ['a = b AND c OR NOT d', '((a = b) AND c) OR (NOT d)'],
  ['NOT a = b', 'NOT (a = b)'],
  ['NOT NOT a', 'NOT (NOT a)'],
  ['a = b IS NULL', '(a = b) IS NULL'],
  ['a BETWEEN 1 AND 2 + 3 AND b', '(a BETWEEN 1 AND (2 + 3)) AND b'],
  ['a NOT IN (1, 2) OR b', '(a NOT IN (1, 2)) OR b'],
  ["a not like 'x%'", "a NOT LIKE 'x%'"],
  ['a != b', 'a <> b'],
  ['a < b = c', '(a < b) = c'],
  ['case a when 1 then 2 end', 'CASE a WHEN 1 THEN 2 END'],
  ['Case When a Then b Else c End', 'CASE WHEN a THEN b ELSE c END'],
  ['cast(a as numeric(5, 2))', 'CAST(a AS DECIMAL(5, 2))'],
  ['substring(a from 2 for 3)', 'SUBSTRING(a, 2, 3)'],
  ['extract(hour from a)', 'EXTRACT(HOUR FROM a)'],
  ['trim(a)', 'TRIM(BOTH FROM a)'],
  ["trim(leading 'x' from a)", "TRIM(LEADING 'x' FROM a)"],
  ['"use [kW]" + "a""b"', '"use [kW]" + "a""b"'],
  ['date', 'date'],
  ["date '2016-1-2'", "DATE '2016-01-02'"],
  ["timestamp '2016-01-02T00:00:00+01:00'", "TIMESTAMP '2016-01-01 23:00:00Z'"],
  ['1.50', '1.50'],
  ['9223372036854775808', '9223372036854775808.'],
  ['15e2', '1500E0'],
])('%s', (text, normal) => {
  expect(print(parse(text), STANDARD)).toBe(normal);
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/).map((text) => `c_${text}`);
const boolean = fc.boolean();

const literals: fc.Arbitrary<Tree> = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((value): Tree => ({ kind: 'literal', at, type: { name: 'text' }, value })),
  fc.integer().map((value): Tree => ({ kind: 'literal', at, type: { name: 'int' }, value })),
  fc
    .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
    .filter((value) => value > 2n ** 31n || value < -(2n ** 31n))
    .map((value): Tree => ({ kind: 'literal', at, type: { name: 'bigint' }, value })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value): Tree => ({ kind: 'literal', at, type: { name: 'double' }, value })),
  fc.tuple(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.integer({ min: 1, max: 30 })).map(([unscaled, scale]): Tree => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).length;
    return { kind: 'literal', at, type: decimalType(Math.max(digits, scale), scale), value: { unscaled, scale } };
  }),
  fc
    .integer({ min: -700_000, max: 2_000_000 })
    .map((value): Tree => ({ kind: 'literal', at, type: { name: 'date' }, value })),
  fc
    .integer({ min: -6e13, max: 2e14 })
    .map((value): Tree => ({ kind: 'literal', at, type: { name: 'timestamp' }, value })),
  fc.constantFrom(true, false).map((value): Tree => ({ kind: 'literal', at, type: { name: 'boolean' }, value })),
  fc.constant<Tree>({ kind: 'literal', at, type: { name: 'null' }, value: null }),
);

const OPERATORS: readonly BinaryOperator[] = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  '||',
  'AND',
  'OR',
];

const { tree } = fc.letrec<{ tree: Tree }>((tie) => {
  const inner = tie('tree');
  const optional = fc.option(inner, { nil: undefined });
  const list = fc.array(inner, { minLength: 1, maxLength: 3 });
  return {
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      literals,
      word.map((name): Tree => ({ kind: 'column', at, name, quoted: false })),
      fc.string({ minLength: 1 }).map((name): Tree => ({ kind: 'column', at, name, quoted: true })),
      fc.record({
        kind: fc.constant('unary'),
        at: fc.constant(at),
        operator: fc.constantFrom('-', '+', 'NOT'),
        operand: inner,
      }),
      fc.record({
        kind: fc.constant('binary'),
        at: fc.constant(at),
        operator: fc.constantFrom(...OPERATORS),
        left: inner,
        right: inner,
      }),
      fc.record({ kind: fc.constant('isNull'), at: fc.constant(at), operand: inner, negated: boolean }),
      fc.record({ kind: fc.constant('in'), at: fc.constant(at), operand: inner, list, negated: boolean }),
      fc.record({
        kind: fc.constant('between'),
        at: fc.constant(at),
        operand: inner,
        low: inner,
        high: inner,
        negated: boolean,
      }),
      fc.record({ kind: fc.constant('like'), at: fc.constant(at), operand: inner, pattern: inner, negated: boolean }),
      fc.record({
        kind: fc.constant('case'),
        at: fc.constant(at),
        operand: optional,
        branches: fc.array(fc.record({ when: inner, then: inner }), { minLength: 1, maxLength: 2 }),
        otherwise: optional,
      }),
      fc.record({
        kind: fc.constant('cast'),
        at: fc.constant(at),
        operand: inner,
        type: fc.constantFrom({ name: 'text' }, { name: 'bigint' }, decimalType(12, 3)),
      }),
      fc.record({
        kind: fc.constant('extract'),
        at: fc.constant(at),
        field: fc.constantFrom('YEAR', 'DOW'),
        operand: inner,
      }),
      fc.record({
        kind: fc.constant('trim'),
        at: fc.constant(at),
        side: fc.constantFrom('BOTH', 'LEADING', 'TRAILING'),
        characters: optional,
        operand: inner,
      }),
      fc.record({
        kind: fc.constant('call'),
        at: fc.constant(at),
        name: fc.constantFrom('ABS', 'CONCAT'),
        arguments: fc.array(inner, { maxLength: 3 }),
      }),
    ) as fc.Arbitrary<Tree>,
  };
});

/** Places differ after printing; -0 and bigint have no JSON form of their own. */
function withoutPlaces(tree: Tree): unknown {
  return JSON.parse(
    JSON.stringify(tree, (key, value: unknown) => {
      if (key === 'at') return undefined;
      if (typeof value === 'bigint') return `${value}n`;
      return Object.is(value, -0) ? '-0' : value;
    }),
  );
}

test('what is printed reads back as the same tree', () => {
  fc.assert(
    fc.property(tree, (given) => {
      expect(withoutPlaces(parse(print(given, STANDARD)))).toEqual(withoutPlaces(given));
    }),
    { numRuns: 2000 },
  );
});

test('a number reads as the narrowest type that holds it', () => {
  expect(numberLiteral('2147483648', true, at)).toMatchObject({ type: { name: 'int' }, value: -2147483648 });
  expect(numberLiteral('2147483648', false, at)).toMatchObject({ type: { name: 'bigint' } });
  expect(parse("TIMESTAMP '2016-01-01 00:00:00.5'")).toMatchObject({ value: parseTimestamp('2016-01-01 00:00:00.5') });
});
