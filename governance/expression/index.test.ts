import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import { ExpressionFailure, compileExpression, type Scope, type SqlType, type SqlValue } from './index.ts';

const COLUMNS: readonly (readonly [string, SqlType])[] = [
  ['use [kW]', 'double'],
  ['gen [kW]', 'double'],
  ['ts', 'timestamp'],
  ['name', 'text'],
  ['count', 'bigint'],
  ['flag', 'boolean'],
  ['price', 'decimal'],
];

const scope: Scope = {
  names: COLUMNS.map(([name]) => name),
  resolve(name) {
    const index = COLUMNS.findIndex(([column]) => column === name);
    const column = COLUMNS[index];
    return column === undefined ? undefined : { index, type: column[1] };
  },
};

const compile = (text: string) => compileExpression(text, scope);
const evaluate = (text: string, row: readonly SqlValue[] = []): SqlValue => compile(text).evaluate(row);

function refusal(text: string): WardlineError {
  try {
    compile(text);
  } catch (error) {
    if (error instanceof WardlineError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('compileExpression', () => {
  test('reads quoted names, and tells which places of the row it reads', () => {
    const net = compile('"use [kW]" - "gen [kW]"');
    expect(net.evaluate([2.5, 0.5])).toBe(2);
    expect(net.inputs).toEqual([0, 1]);
    expect(net.type).toBe('double');
    expect(net.spark).toBe('`use [kW]` - `gen [kW]`');
  });

  test('a period by the hour, a day by the time', () => {
    const period = compile("CASE WHEN EXTRACT(HOUR FROM ts) < 6 THEN 'night' ELSE 'day' END");
    const at = (time: string): SqlValue[] => [null, null, Date.parse(time)];
    expect(period.evaluate(at('2016-01-01T05:59:59.999Z'))).toBe('night');
    expect(period.evaluate(at('2016-01-01T06:00:00Z'))).toBe('day');
    expect(evaluate('CAST(ts AS DATE)', at('1969-12-31T23:59:59.999Z'))).toBe(-1);
  });

  test('a place beyond the row is null', () => {
    expect(evaluate('name', [])).toBeNull();
  });

  test('texts and names in Spark SQL are quoted its way', () => {
    expect(compile(String.raw`name LIKE '50\%' OR name = 'it''s'`).spark).toBe(
      String.raw`(` + '`name`' + String.raw` LIKE '50\\%') OR (` + '`name`' + String.raw` = 'it\'s')`,
    );
  });
});

describe('EXPRESSION_INVALID', () => {
  test.each([
    ['', 'a value is missing, at the end'],
    ['1 +', 'a value is missing, at the end'],
    ['(1', ') is missing, at the end'],
    ['1 2', 'should have ended before this, at character 3'],
    ["'open", 'a text is not closed, at character 1'],
    ['"open', 'a quoted name is not closed, at character 1'],
    ['name; DROP', 'a character that has no meaning, at character 5'],
    ['1 -- 2', 'comments have no place here, at character 3'],
    ['12abc', 'a number is followed by what does not belong to it'],
    ['1e999', 'too large for a double'],
    ['name IS 1', 'NULL is missing, at character 9'],
    ['name NOT 1', 'IN, BETWEEN or LIKE is missing'],
    ['flag = NOT flag', 'NOT cannot stand here, at character 8'],
    ['count BETWEEN 1', 'AND is missing'],
    ['CASE WHEN flag THEN 1', 'END is missing'],
    ['CASE END', 'END cannot stand here'],
    ['CAST(1 AS blob)', 'a type that is not known, at character 11'],
    ['CAST(1 AS DECIMAL(39))', 'a whole number from 1 to 38 is missing'],
    ['CAST(1 AS DECIMAL(4,5))', 'a whole number from 0 to 4 is missing'],
    ["DATE '2016-02-30'", 'no date stands after date'],
    ["name LIKE 'a' ESCAPE '!'", 'ESCAPE is not supported'],
    [String.raw`name LIKE 'a\'`, 'escapes what is neither'],
    ['missing + 1', 'there is no field missing, at character 1'],
    ['flag + 1', '+ cannot be applied to BOOLEAN and INT'],
    ['ts - ts', '- cannot be applied to TIMESTAMP and TIMESTAMP'],
    ['name * name', '* cannot be applied to STRING and STRING'],
    ['flag = count', 'BOOLEAN cannot be compared with BIGINT'],
    ['count AND flag', 'a condition is needed here, not BIGINT'],
    ['CASE WHEN flag THEN 1 ELSE ts END', 'no type in common'],
    ['ROUND(count, count)', 'ROUND takes a whole number from -38 to 38, written out'],
    ['ABS(flag)', 'a number is needed here, not BOOLEAN'],
    ['ABS()', 'ABS takes 1 argument, not 0'],
    ['LEAST(1)', 'LEAST takes at least 2 arguments, not 1'],
    ['SUBSTRING(name)', 'SUBSTRING takes 2 to 3 arguments, not 1'],
    ["count = 'x'", 'this STRING cannot be cast to BIGINT'],
    ['CAST(ts AS BOOLEAN)', 'TIMESTAMP cannot be cast to BOOLEAN'],
    ['EXTRACT(EPOCH FROM ts)', 'EXTRACT knows no field EPOCH'],
    ['EXTRACT(YEAR FROM count)', 'EXTRACT needs a date or a time, not BIGINT'],
    ['constructor(1)', 'there is no function CONSTRUCTOR'],
  ])('%s', (text, message) => {
    const error = refusal(text);
    expect(error.code).toBe('EXPRESSION_INVALID');
    expect(error.message).toContain(message);
  });

  test('an unknown function lists those that are known; an unknown field likewise', () => {
    expect(refusal('MEDIAN(count)').hint).toMatch(
      /known functions: ABS, CAST, CEIL, .*EXTRACT.*SUBSTRING.*TRIM, UPPER/,
    );
    expect(refusal('nope').hint).toContain('use [kW], gen [kW], ts');
  });

  test.each([
    ['brackets', '('.repeat(300) + '1' + ')'.repeat(300)],
    ['a chain of signs', '- '.repeat(300) + '1'],
    ['a long sum', Array(1500).fill('1').join('+')],
    ['a long text', `'${'x'.repeat(30_000)}'`],
  ])('limits hold: %s', (_name, text) => {
    expect(refusal(text).code).toBe('EXPRESSION_INVALID');
  });

  test('the longest sum that is allowed still compiles and evaluates', () => {
    expect(evaluate(Array(999).fill('1').join('+'))).toBe(999);
  });
});

describe('ExpressionFailure', () => {
  const MARKER = '987654321987';
  test.each([
    ['count / 0', 'DIVISION_BY_ZERO'],
    ['count % 0', 'DIVISION_BY_ZERO'],
    ['count * 9223372036854775807', 'OVERFLOW'],
    ['CAST(count AS INT)', 'OVERFLOW'],
    ['CAST(name AS DATE)', 'CAST_FAILED'],
    ['name + 1.5', 'CAST_FAILED'],
    ["'a' LIKE name", 'PATTERN_INVALID'],
    ['FLOOR(1e300)', 'OVERFLOW'],
    ['CAST("use [kW]" AS DECIMAL(5,2))', 'CAST_FAILED'],
    ["CAST('2016-01-02 03:04:05 Europe/Berlin' || SUBSTRING(name, 99) AS TIMESTAMP)", 'CAST_FAILED'],
    ["DATE '2016-01-01' + CAST(count / 1000 AS INT)", 'OVERFLOW'],
  ])('%s fails with %s, and no value in its message', (text, reason) => {
    const expression = compile(text);
    const row = [NaN, 1, 0, String.raw`\x${MARKER}`, BigInt(MARKER), true];
    let failure: unknown;
    try {
      expression.evaluate(row);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(ExpressionFailure);
    expect(failure).toMatchObject({ code: 'EXPRESSION_FAILED', reason });
    expect((failure as Error).message).not.toContain(MARKER);
  });

  test('a decimal column takes part with 18 digits after the point; one of absurd scale fails at once', () => {
    const price = (unscaled: bigint, scale: number): SqlValue[] => [...Array<null>(6).fill(null), { unscaled, scale }];
    expect(evaluate('price', price(125n, 2))).toEqual({ unscaled: 1_250_000_000_000_000_000n, scale: 18 });
    expect(evaluate('price = 200', price(2n, -2))).toBe(true);
    expect(() => evaluate('price', price(1n, -2_000_000_000))).toThrow(ExpressionFailure);
    expect(() => evaluate('price', price(1n, 2_000_000_000))).toThrow(ExpressionFailure);
  });

  test('what is not needed is not evaluated', () => {
    expect(evaluate('flag AND 1 / 0 > 1', [0, 0, 0, '', 0n, false])).toBe(false);
    expect(evaluate('COALESCE(count, 1 / 0)', [0, 0, 0, '', 4n])).toBe(4);
    expect(evaluate('CASE WHEN flag THEN 1 / 0 ELSE 2 END', [0, 0, 0, '', 0n, false])).toBe(2);
  });
});

describe('null semantics', () => {
  const truth = fc.constantFrom<boolean | null>(true, false, null);
  const word = (value: boolean | null): string => (value === null ? 'CAST(NULL AS BOOLEAN)' : String(value));
  /** Three-valued logic after Kleene: false < unknown < true; AND is the least, OR the greatest, NOT the mirror. */
  const rank = (value: SqlValue): number => (value === null ? 1 : value === true ? 2 : 0);

  test('AND, OR and NOT are the minimum, the maximum and the mirror of three values', () => {
    fc.assert(
      fc.property(truth, truth, (a, b) => {
        expect(rank(evaluate(`${word(a)} AND ${word(b)}`))).toBe(Math.min(rank(a), rank(b)));
        expect(rank(evaluate(`${word(a)} OR ${word(b)}`))).toBe(Math.max(rank(a), rank(b)));
        expect(rank(evaluate(`NOT ${word(a)}`))).toBe(2 - rank(a));
      }),
    );
  });

  const members = fc.array(fc.option(fc.bigInt(-3n, 3n)), { minLength: 1, maxLength: 6 });
  test('IN is the OR of its comparisons, BETWEEN the AND of its own', () => {
    fc.assert(
      fc.property(fc.option(fc.bigInt(-3n, 3n)), members, (value, list) => {
        const row = [null, null, null, null, value];
        const texts = list.map((member) => (member === null ? 'NULL' : String(member)));
        const [low = '0', high = low] = texts;
        expect(evaluate(`count IN (${texts.join(', ')})`, row)).toBe(
          evaluate(texts.map((text) => `count = ${text}`).join(' OR '), row),
        );
        expect(evaluate(`count NOT BETWEEN ${low} AND ${high}`, row)).toBe(
          evaluate(`NOT (count >= ${low} AND count <= ${high})`, row),
        );
      }),
    );
  });

  test('every operator and function that is not made for nulls passes them on', () => {
    const operations = [
      'count + 1',
      '-count',
      'count || name',
      'count = 1',
      'name LIKE name',
      'ABS(count)',
      'ROUND(count, 1)',
    ];
    const calls = ['UPPER(name)', 'SUBSTRING(name, 1)', 'TRIM(name)', 'CAST(name AS DATE)', 'EXTRACT(DAY FROM ts)'];
    for (const text of [...operations, ...calls]) expect(evaluate(text, []), text).toBeNull();
  });
});
