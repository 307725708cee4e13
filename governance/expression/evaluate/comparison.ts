import { ExpressionProblem } from '../failure.ts';
import type { ComparisonOperator } from '../syntax/tree.ts';
import { commonType, foldTypes } from '../types/common-type.ts';
import { compareDecimals } from '../types/decimal.ts';
import { typeName, type Decimal, type SqlType, type SqlValue, type Type } from '../types/type.ts';
import { bound, convert, strict, type Bound } from './bound.ts';

/** Negative, zero or positive, as the first value stands before, at or after the second. */
type Comparator = (a: SqlValue, b: SqlValue) => number;

const COMPARATORS: Readonly<Record<SqlType, (a: never, b: never) => number>> = {
  text: compareText,
  double: compareDoubles,
  int: (a: number, b: number) => a - b,
  bigint: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  decimal: (a: Decimal, b: Decimal) => compareDecimals(a, b),
  boolean: (a: boolean, b: boolean) => Number(a) - Number(b),
  date: (a: number, b: number) => a - b,
  timestamp: (a: number, b: number) => a - b,
  null: () => 0,
};

const OUTCOMES: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

const BOOLEAN: Type = { name: 'boolean' };

/** How values of a type are ordered; nulls excepted. */
export function comparatorOf(type: Type): Comparator {
  return COMPARATORS[type.name] as Comparator;
}

/** Binds a comparison of two values in the type they have in common. Unknown where one of them is null. */
export function bindComparison(at: number, operator: ComparisonOperator, left: Bound, right: Bound): Bound {
  const type = commonType(left.type, right.type);
  if (type === undefined)
    throw new ExpressionProblem(at, `${typeName(left.type)} cannot be compared with ${typeName(right.type)}`);
  const compare = comparatorOf(type);
  const outcome = OUTCOMES[operator];
  return strict(at, BOOLEAN, [convert(left, type), convert(right, type)], (a: SqlValue, b: SqlValue) =>
    outcome(compare(a, b)),
  );
}

/** Binds `operand IN (list)`: true where a member is equal, else unknown where the operand or a member is null, else false. */
export function bindIn(at: number, operand: Bound, list: readonly Bound[]): Bound {
  const type = foldTypes([operand, ...list].map((member) => member.type));
  if (type === undefined) throw new ExpressionProblem(at, 'the members of this list have no type in common');
  const compare = comparatorOf(type);
  const subject = convert(operand, type).evaluate;
  const members = list.map((member) => convert(member, type).evaluate);
  return bound(at, BOOLEAN, (row) => {
    const value = subject(row);
    if (value === null) return null;
    let unknown = false;
    for (const evaluate of members) {
      const member = evaluate(row);
      if (member === null) unknown = true;
      else if (compare(value, member) === 0) return true;
    }
    return unknown ? null : false;
  });
}

/** NaN is equal to itself and above everything else; −0 is equal to 0. */
function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** By code points, which is also the order of the UTF-8 bytes. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let place = 0; place < shorter; place += 1) {
    const left = a.charCodeAt(place);
    const right = b.charCodeAt(place);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** UTF-16 puts surrogates, which stand for the highest code points, below the units from U+E000 on. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
