import { bind } from './evaluate/bind.ts';
import { ExpressionProblem, expressionInvalid } from './failure.ts';
import { parse } from './syntax/parse.ts';
import { SPARK, print } from './syntax/print.ts';
import type { SqlType, SqlValue } from './types/type.ts';

export { ExpressionFailure } from './failure.ts';
export type { SqlType, SqlValue } from './types/type.ts';

/** The columns that an expression may name. */
export interface Scope {
  /** The column's place in the row and its type; undefined where there is none. `quoted` tells whether the name stood in double quotes. */
  resolve(name: string, quoted: boolean): { readonly index: number; readonly type: SqlType } | undefined;
  /** All names, for error messages. */
  readonly names: readonly string[];
}

/** An expression that was checked, and compiled to closures: pure, without state, safe to evaluate any number of times. */
export interface CompiledExpression {
  readonly type: SqlType;
  /** The places in the row that it reads, ascending. */
  readonly inputs: readonly number[];
  /**
   * Its value on a row, whose values have the types that the scope gave them. Throws an ExpressionFailure (division by zero,
   * overflow, a value that cannot be cast), whose message holds no value.
   */
  evaluate(row: readonly SqlValue[]): SqlValue;
  /** The same expression in Spark SQL, in normal form. It means the same there with `spark.sql.ansi.enabled` and the session's time zone UTC. */
  readonly spark: string;
}

/**
 * Compiles an SQL expression. Its meaning is that of Spark SQL in ANSI mode, since the same contract also runs there: unknown
 * values propagate, conditions have three values, `/` on integers gives a double, ROUND rounds halves away from zero,
 * overflow and division by zero are failures, dates are proleptic Gregorian in UTC, texts are ordered and counted by code points.
 * Three deviations, all towards refusing: FLOOR and CEIL of a double beyond 64 bits fail (Spark gives the largest bigint), a cast of
 * NaN to DECIMAL fails (Spark gives null), and a time zone is an offset, not a region's name. Times have whole milliseconds.
 * Throws EXPRESSION_INVALID with the place of the first mistake: syntax, a name or function not known, types that do not fit.
 */
export function compileExpression(text: string, scope: Scope): CompiledExpression {
  const inputs = new Set<number>();
  try {
    const tree = parse(text);
    const { type, evaluate } = bind(tree, (name, quoted, at) => {
      const column = scope.resolve(name, quoted);
      if (column === undefined)
        throw new ExpressionProblem(at, `there is no field ${name}`, `known fields: ${scope.names.join(', ')}`);
      inputs.add(column.index);
      return column;
    });
    return { type: type.name, inputs: [...inputs].sort((a, b) => a - b), evaluate, spark: print(tree, SPARK) };
  } catch (error) {
    throw error instanceof ExpressionProblem ? expressionInvalid(text, error) : error;
  }
}
