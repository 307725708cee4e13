import type { ArithmeticOperator, BinaryOperator, ComparisonOperator, Tree } from '../syntax/tree.ts';
import { fitted } from '../types/cast.ts';
import { COLUMN_DECIMAL, type Decimal, type SqlType, type Type } from '../types/type.ts';
import { bindArithmetic, bindSign } from './arithmetic.ts';
import { bound, convert, literal, strict, type Bound } from './bound.ts';
import { bindComparison, bindIn } from './comparison.ts';
import { bindExtract } from './extract.ts';
import { bindCall } from './functions.ts';
import { bindLike } from './like.ts';
import { bindAnd, bindCase, bindIsNull, bindNot, bindOr } from './logic.ts';
import { bindConcatenation, bindTrim } from './text-functions.ts';

/** Finds a column by its name in the expression; throws an ExpressionProblem where there is none. */
export type FindColumn = (
  name: string,
  quoted: boolean,
  at: number,
) => { readonly index: number; readonly type: SqlType };

type BindBinary = (at: number, left: Bound, right: Bound) => Bound;

const arithmetic =
  (operator: ArithmeticOperator): BindBinary =>
  (at, left, right) =>
    bindArithmetic(at, operator, left, right);
const comparison =
  (operator: ComparisonOperator): BindBinary =>
  (at, left, right) =>
    bindComparison(at, operator, left, right);

const BINARY: Readonly<Record<BinaryOperator, BindBinary>> = {
  '+': arithmetic('+'),
  '-': arithmetic('-'),
  '*': arithmetic('*'),
  '/': arithmetic('/'),
  '%': arithmetic('%'),
  '=': comparison('='),
  '<>': comparison('<>'),
  '<': comparison('<'),
  '<=': comparison('<='),
  '>': comparison('>'),
  '>=': comparison('>='),
  '||': (at, left, right) => bindConcatenation(at, [left, right]),
  AND: bindAnd,
  OR: bindOr,
};

/** Gives each node its type and makes closures of the tree. Throws an ExpressionProblem at the first node whose types do not fit. */
export function bind(tree: Tree, find: FindColumn): Bound {
  const inner = (child: Tree): Bound => bind(child, find);
  const { at } = tree;
  switch (tree.kind) {
    case 'literal':
      return literal(at, tree.type, tree.value);
    case 'column':
      return bindColumn(tree.at, find(tree.name, tree.quoted, at));
    case 'unary':
      return tree.operator === 'NOT'
        ? bindNot(at, inner(tree.operand))
        : bindSign(at, tree.operator, inner(tree.operand));
    case 'binary':
      return BINARY[tree.operator](at, inner(tree.left), inner(tree.right));
    case 'isNull':
      return negated(tree, bindIsNull(at, inner(tree.operand)));
    case 'in':
      return negated(tree, bindIn(at, inner(tree.operand), tree.list.map(inner)));
    case 'between': {
      const operand = inner(tree.operand);
      const above = bindComparison(at, '>=', operand, inner(tree.low));
      return negated(tree, bindAnd(at, above, bindComparison(at, '<=', operand, inner(tree.high))));
    }
    case 'like':
      return negated(tree, bindLike(at, inner(tree.operand), inner(tree.pattern)));
    case 'case': {
      const branches = tree.branches.map(({ when, then }) => ({ when: inner(when), then: inner(then) }));
      const operand = tree.operand === undefined ? undefined : inner(tree.operand);
      return bindCase(at, operand, branches, tree.otherwise === undefined ? undefined : inner(tree.otherwise));
    }
    case 'cast':
      return convert(inner(tree.operand), tree.type);
    case 'extract':
      return bindExtract(at, tree.field, inner(tree.operand));
    case 'trim':
      return bindTrim(
        at,
        tree.side,
        inner(tree.operand),
        tree.characters === undefined ? undefined : inner(tree.characters),
      );
    case 'call':
      return bindCall(at, tree.name, tree.arguments.map(inner));
  }
}

function bindColumn(at: number, { index, type }: { readonly index: number; readonly type: SqlType }): Bound {
  const name = type;
  if (name !== 'decimal') return bound(at, { name } satisfies Type, (row) => row[index] ?? null);
  const column = bound(at, COLUMN_DECIMAL, (row) => row[index] ?? null);
  return strict(at, COLUMN_DECIMAL, [column], (value: Decimal) => fitted(value, COLUMN_DECIMAL));
}

function negated(tree: { readonly negated: boolean; readonly at: number }, condition: Bound): Bound {
  return tree.negated ? bindNot(tree.at, condition) : condition;
}
