import { ExpressionProblem } from '../failure.ts';
import { foldTypes } from '../types/common-type.ts';
import type { Type } from '../types/type.ts';
import { asCondition, bound, convert, strict, type Bound } from './bound.ts';
import { bindComparison } from './comparison.ts';

const BOOLEAN: Type = { name: 'boolean' };

/** Binds AND: false as soon as one side is, else unknown where one is null. The right side is not evaluated after false. */
export function bindAnd(at: number, left: Bound, right: Bound): Bound {
  const [first, second] = [asCondition(left).evaluate, asCondition(right).evaluate];
  return bound(at, BOOLEAN, (row) => {
    const a = first(row);
    if (a === false) return false;
    const b = second(row);
    if (b === false) return false;
    return a === null || b === null ? null : true;
  });
}

/** Binds OR: true as soon as one side is, else unknown where one is null. The right side is not evaluated after true. */
export function bindOr(at: number, left: Bound, right: Bound): Bound {
  const [first, second] = [asCondition(left).evaluate, asCondition(right).evaluate];
  return bound(at, BOOLEAN, (row) => {
    const a = first(row);
    if (a === true) return true;
    const b = second(row);
    if (b === true) return true;
    return a === null || b === null ? null : false;
  });
}

/** Binds NOT: unknown stays unknown. */
export function bindNot(at: number, operand: Bound): Bound {
  return strict(at, BOOLEAN, [asCondition(operand)], (value: boolean) => !value);
}

/** Binds IS NULL, which is never unknown. */
export function bindIsNull(at: number, operand: Bound): Bound {
  return bound(at, BOOLEAN, (row) => operand.evaluate(row) === null);
}

/** Binds both forms of CASE. Only the branch that is taken is evaluated; without one, and without ELSE, it is null. */
export function bindCase(
  at: number,
  operand: Bound | undefined,
  branches: readonly { readonly when: Bound; readonly then: Bound }[],
  otherwise: Bound | undefined,
): Bound {
  const results = branches.map((branch) => branch.then);
  const type = foldTypes([...results, ...(otherwise === undefined ? [] : [otherwise])].map((result) => result.type));
  if (type === undefined) throw new ExpressionProblem(at, 'the branches of this CASE have no type in common');
  const steps = branches.map(({ when, then }) => ({
    when: (operand === undefined ? searched(when) : bindComparison(when.at, '=', operand, when)).evaluate,
    then: convert(then, type).evaluate,
  }));
  const last = otherwise === undefined ? undefined : convert(otherwise, type).evaluate;
  return bound(at, type, (row) => {
    for (const step of steps) if (step.when(row) === true) return step.then(row);
    return last === undefined ? null : last(row);
  });
}

/** Spark SQL takes neither text nor NULL for the condition of a CASE. */
function searched(when: Bound): Bound {
  if (when.type.name !== 'boolean') throw new ExpressionProblem(when.at, 'a condition is needed after WHEN');
  return when;
}
