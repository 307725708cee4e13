import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import { VECTOR_COLUMNS, vectorScope } from '../../test/support/spark-vectors/columns.ts';
import { ExpressionFailure, compileExpression, type SqlType, type SqlValue } from './index.ts';
import { castBetween } from './types/cast.ts';
import { COLUMN_DECIMAL, decimalType, type Type } from './types/type.ts';

interface Vector {
  readonly expression: string;
  readonly spark: string;
  readonly refused?: string;
  readonly type?: string;
  readonly results?: readonly (string | null | { readonly error: string })[];
}

const { vectors } = JSON.parse(readFileSync(new URL('spark-vectors.json', import.meta.url), 'utf8')) as {
  vectors: readonly Vector[];
};

const typeOf = (name: SqlType): Type => (name === 'decimal' ? COLUMN_DECIMAL : { name });

function fromText(text: string | null, type: Type): SqlValue {
  return text === null ? null : (castBetween({ name: 'text' }, type)?.(text) ?? null);
}

function toText(value: SqlValue, type: Type): string | null {
  return value === null ? null : (castBetween(type, { name: 'text' })?.(value) as string);
}

const rows = [0, 1, 2].map((row) =>
  VECTOR_COLUMNS.map((column) => fromText(column.values[row] ?? null, typeOf(column.type))),
);
const SPARK_NAMES: Readonly<Record<string, string>> = { text: 'string', null: 'void' };

function evaluateAll(expression: string): Partial<Vector> {
  try {
    const compiled = compileExpression(expression, vectorScope);
    const type = compiled.type === 'decimal' ? decimalType(38, 18) : { name: compiled.type };
    const results = rows.map((row) => {
      try {
        return toText(compiled.evaluate(row), type);
      } catch (error) {
        if (error instanceof ExpressionFailure) return { error: error.reason };
        throw error;
      }
    });
    return { spark: compiled.spark, type: SPARK_NAMES[compiled.type] ?? compiled.type, results };
  } catch (error) {
    if (error instanceof WardlineError && error.code === 'EXPRESSION_INVALID') return { refused: error.message };
    throw error;
  }
}

const FAILURE = Symbol('failure');
const failed = (result: unknown): unknown => (typeof result === 'object' && result !== null ? FAILURE : result);

test.each(vectors.map((vector) => [vector.expression, vector] as const))('%s', (expression, vector) => {
  const ours = evaluateAll(expression);
  if (ours.refused !== undefined) {
    // A literal that is wrong is refused when the expression is compiled; Spark finds out on a row, on every row that is not null.
    const everywhere =
      failed(vector.results?.[0]) === FAILURE &&
      vector.results?.every((result) => result === null || failed(result) === FAILURE);
    expect(vector.refused !== undefined || everywhere, ours.refused).toBe(true);
    return;
  }
  expect(vector.refused).toBeUndefined();
  expect(ours.spark).toBe(vector.spark);
  expect(ours.type).toBe(vector.type?.replace(/\(.*/, ''));
  expect(ours.results?.map(failed)).toEqual(vector.results?.map(failed));
});

test('the vectors are worth their name: they hold values, nulls, failures and refusals', () => {
  const results = vectors.flatMap((vector) => vector.results ?? []);
  expect(vectors.length).toBeGreaterThan(400);
  expect(results.filter((result) => typeof result === 'string').length).toBeGreaterThan(500);
  expect(results.filter((result) => result === null).length).toBeGreaterThan(100);
  expect(results.filter((result) => typeof result === 'object' && result !== null).length).toBeGreaterThan(50);
  expect(vectors.filter((vector) => vector.refused !== undefined).length).toBeGreaterThan(30);
});
