import { ExpressionFailure, ExpressionProblem } from '../failure.ts';
import { castBetween } from '../types/cast.ts';
import { sameType, typeName, type SqlValue, type Type } from '../types/type.ts';

export type Evaluate = (row: readonly SqlValue[]) => SqlValue;

/** A part of an expression with its type, ready to be evaluated on a row. */
export interface Bound {
  readonly at: number;
  readonly type: Type;
  readonly evaluate: Evaluate;
  /** Set for a literal: its value is known now. */
  readonly literal: SqlValue | undefined;
}

/** What a function or operator does with values none of which is null. The types of its parameters are the bound arguments'. */
export type Implementation = (...values: never[]) => SqlValue;

export function bound(at: number, type: Type, evaluate: Evaluate): Bound {
  return { at, type, evaluate, literal: undefined };
}

export function literal(at: number, type: Type, value: SqlValue): Bound {
  return { at, type, evaluate: () => value, literal: value };
}

/** A call that is null as soon as one of its arguments is. Those after a null are not evaluated. */
export function strict(at: number, type: Type, given: readonly Bound[], implementation: Implementation): Bound {
  const apply = implementation as (...values: readonly SqlValue[]) => SqlValue;
  const [first, second] = given.map((argument) => argument.evaluate);
  if (first !== undefined && second === undefined) {
    return bound(at, type, (row) => {
      const value = first(row);
      return value === null ? null : apply(value);
    });
  }
  if (first !== undefined && second !== undefined && given.length === 2) {
    return bound(at, type, (row) => {
      const left = first(row);
      if (left === null) return null;
      const right = second(row);
      return right === null ? null : apply(left, right);
    });
  }
  return bound(at, type, (row) => {
    const values: SqlValue[] = [];
    for (const argument of given) {
      const value = argument.evaluate(row);
      if (value === null) return null;
      values.push(value);
    }
    return apply(...values);
  });
}

/**
 * The same value as another type. Throws an ExpressionProblem where there is no such cast, or where a literal cannot be cast:
 * that would fail on every record.
 */
export function convert(value: Bound, type: Type): Bound {
  if (sameType(value.type, type)) return value;
  const cast = castBetween(value.type, type);
  if (cast === undefined)
    throw new ExpressionProblem(value.at, `${typeName(value.type)} cannot be cast to ${typeName(type)}`);
  if (value.literal === undefined) return strict(value.at, type, [value], cast);
  if (value.literal === null) return literal(value.at, type, null);
  try {
    return literal(value.at, type, cast(value.literal));
  } catch (error) {
    if (!(error instanceof ExpressionFailure)) throw error;
    throw new ExpressionProblem(value.at, `this ${typeName(value.type)} cannot be cast to ${typeName(type)}`);
  }
}

/** A value where a text is asked for. */
export function asText(value: Bound): Bound {
  return convert(value, { name: 'text' });
}

/** A value where a truth value is asked for: text is read as one, numbers are not. */
export function asCondition(value: Bound): Bound {
  if (!['boolean', 'text', 'null'].includes(value.type.name))
    throw new ExpressionProblem(value.at, `a condition is needed here, not ${typeName(value.type)}`);
  return convert(value, { name: 'boolean' });
}
