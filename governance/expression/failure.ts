import type { DeadLetterCode } from '../../core/errors/dead-letter-codes.ts';
import { WardlineError } from '../../core/errors/errors.ts';

/** How much of the expression an error message repeats from the place it speaks of. */
const EXCERPT_LENGTH = 24;

/** Why an expression cannot be evaluated on a record. The text never holds a value of the record. */
export type FailureReason = keyof typeof FAILURE_REASONS;

const FAILURE_REASONS = {
  DIVISION_BY_ZERO: 'division by zero',
  OVERFLOW: 'a result does not fit its type',
  CAST_FAILED: 'a value cannot be cast to the type that is asked for',
  PATTERN_INVALID: 'a LIKE pattern ends in its escape character, or escapes what is neither %, _ nor \\',
} as const;

/** Thrown while an expression is evaluated: the record is at fault, not the expression. */
export class ExpressionFailure extends Error {
  readonly code: DeadLetterCode = 'EXPRESSION_FAILED';
  readonly reason: FailureReason;

  constructor(reason: FailureReason) {
    super(FAILURE_REASONS[reason]);
    this.name = 'ExpressionFailure';
    this.reason = reason;
  }
}

/** A mistake in an expression's text, at a place counted in UTF-16 units from 0. `compileExpression` turns it into EXPRESSION_INVALID. */
export class ExpressionProblem extends Error {
  readonly at: number;
  readonly hint: string | undefined;

  constructor(at: number, problem: string, hint?: string) {
    super(problem);
    this.name = 'ExpressionProblem';
    this.at = at;
    this.hint = hint;
  }
}

/** EXPRESSION_INVALID with the 1-based character that the problem is at. */
export function expressionInvalid(text: string, problem: ExpressionProblem): WardlineError {
  const rest = text.slice(problem.at, problem.at + EXCERPT_LENGTH);
  const place = rest === '' ? 'at the end' : `at character ${problem.at + 1} (“${rest}”)`;
  return new WardlineError('EXPRESSION_INVALID', `${problem.message}, ${place} of the expression`, {
    hint: problem.hint,
  });
}
