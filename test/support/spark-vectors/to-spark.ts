import { readFileSync, writeFileSync } from 'node:fs';
import { compileExpression } from '../../../governance/expression/index.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { VECTOR_COLUMNS, vectorScope } from './columns.ts';

/**
 * First half of making the vectors: compiles each line of expressions.txt to Spark SQL. An expression that is refused goes to
 * Spark as it stands, which must refuse it too. Usage: node to-spark.ts OUT
 */
const [, , out] = process.argv;
if (out === undefined) throw new Error('usage: node to-spark.ts OUT');

const lines = readFileSync(new URL('expressions.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter(Boolean);
const questions = lines.map((expression) => ({ expression, spark: toSpark(expression) }));
writeFileSync(out, JSON.stringify({ columns: VECTOR_COLUMNS, questions }));

function toSpark(expression: string): string {
  try {
    return compileExpression(expression, vectorScope).spark;
  } catch (error) {
    if (error instanceof WardlineError) return expression;
    throw error;
  }
}
