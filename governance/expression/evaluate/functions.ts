import { ExpressionProblem } from '../failure.ts';
import { foldTypes, widerType } from '../types/common-type.ts';
import { typeName, type SqlType, type SqlValue } from '../types/type.ts';
import { asText, bound, convert, strict, type Bound, type Implementation } from './bound.ts';
import { bindComparison, comparatorOf } from './comparison.ts';
import { ABSOLUTE, CEILING, FLOOR, rounding } from './number-functions.ts';
import { bindConcatenation, substring } from './text-functions.ts';

interface FunctionRow {
  /** Fewest and most arguments. */
  readonly arity: readonly [fewest: number, most: number];
  readonly bind: (at: number, given: readonly Bound[]) => Bound;
}

const ANY_NUMBER = Infinity;
/** SUBSTRING without a length goes to the end, which no text is long enough to pass. */
const TO_THE_END = 2 ** 31 - 1;
/** ROUND takes no more digits than a decimal has. */
const MOST_DIGITS = 38;

const ceiling: FunctionRow = { arity: [1, 1], bind: (at, given) => bindNumber(at, given, CEILING) };
const substringRow: FunctionRow = { arity: [2, 3], bind: bindSubstring };

/** Every function, by its name in capitals. CAST, EXTRACT and TRIM … FROM have a form, and a place in the parser, of their own. */
const FUNCTIONS: Readonly<Partial<Record<string, FunctionRow>>> = {
  ABS: { arity: [1, 1], bind: (at, given) => bindNumber(at, given, ABSOLUTE) },
  CEIL: ceiling,
  CEILING: ceiling,
  COALESCE: { arity: [1, ANY_NUMBER], bind: bindCoalesce },
  CONCAT: { arity: [0, ANY_NUMBER], bind: bindConcatenation },
  FLOOR: { arity: [1, 1], bind: (at, given) => bindNumber(at, given, FLOOR) },
  GREATEST: { arity: [2, ANY_NUMBER], bind: (at, given) => bindExtreme(at, given, (order) => order > 0) },
  LEAST: { arity: [2, ANY_NUMBER], bind: (at, given) => bindExtreme(at, given, (order) => order < 0) },
  LOWER: { arity: [1, 1], bind: (at, given) => bindText(at, given, (text: string) => text.toLowerCase()) },
  NULLIF: { arity: [2, 2], bind: bindNullIf },
  ROUND: { arity: [1, 2], bind: (at, given) => bindNumber(at, given.slice(0, 1), rounding(digitsOf(given[1]))) },
  SUBSTR: substringRow,
  SUBSTRING: substringRow,
  UPPER: { arity: [1, 1], bind: (at, given) => bindText(at, given, (text: string) => text.toUpperCase()) },
};

/** Names in the message about an unknown function: the table's, and the forms that the parser knows. */
const KNOWN = [...Object.keys(FUNCTIONS), 'CAST', 'EXTRACT', 'TRIM'].sort();

/** Binds a call. Throws an ExpressionProblem where the function is not known (naming those that are) or the arguments do not fit. */
export function bindCall(at: number, name: string, given: readonly Bound[]): Bound {
  const row = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (row === undefined)
    throw new ExpressionProblem(at, `there is no function ${name}`, `known functions: ${KNOWN.join(', ')}`);
  const [fewest, most] = row.arity;
  if (given.length < fewest || given.length > most)
    throw new ExpressionProblem(at, `${name} takes ${arityText(fewest, most)}, not ${given.length}`);
  return row.bind(at, given);
}

function arityText(fewest: number, most: number): string {
  const plural = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;
  if (fewest === most) return plural(fewest);
  return most === ANY_NUMBER ? `at least ${plural(fewest)}` : `${fewest} to ${plural(most)}`;
}

function bindNumber(at: number, given: readonly Bound[], rows: typeof ABSOLUTE): Bound {
  const [value] = given.map((argument) =>
    ['text', 'null'].includes(argument.type.name) ? convert(argument, { name: 'double' }) : argument,
  );
  const row = value === undefined ? undefined : rows[value.type.name];
  if (value === undefined || row === undefined)
    throw new ExpressionProblem(
      at,
      `a number is needed here, not ${value === undefined ? 'nothing' : typeName(value.type)}`,
    );
  const { type, implementation } = row(value.type);
  return strict(at, type, [value], implementation);
}

function digitsOf(argument: Bound | undefined): number {
  if (argument === undefined) return 0;
  const digits = argument.literal;
  if (argument.type.name !== 'int' || typeof digits !== 'number' || Math.abs(digits) > MOST_DIGITS)
    throw new ExpressionProblem(
      argument.at,
      `ROUND takes a whole number from -${MOST_DIGITS} to ${MOST_DIGITS}, written out`,
    );
  return digits;
}

function bindText(at: number, given: readonly Bound[], implementation: Implementation): Bound {
  return strict(at, { name: 'text' }, given.map(asText), implementation);
}

const POSITIONS: readonly SqlType[] = ['int', 'bigint', 'text', 'null'];

function bindSubstring(at: number, given: readonly Bound[]): Bound {
  const [text, ...places] = given;
  const wrong = places.find((place) => !POSITIONS.includes(place.type.name));
  if (wrong !== undefined)
    throw new ExpressionProblem(wrong.at, `SUBSTRING takes whole numbers, not ${typeName(wrong.type)}`);
  const numbers = places.map((place) => convert(place, { name: 'int' }));
  return strict(
    at,
    { name: 'text' },
    [...(text === undefined ? [] : [asText(text)]), ...numbers],
    (value: string, position: number, length: number | undefined) => substring(value, position, length ?? TO_THE_END),
  );
}

/** The first argument that is not null; those after it are not evaluated. */
function bindCoalesce(at: number, given: readonly Bound[]): Bound {
  const type = foldTypes(given.map((argument) => argument.type));
  if (type === undefined) throw new ExpressionProblem(at, 'the arguments of COALESCE have no type in common');
  const choices = given.map((argument) => convert(argument, type).evaluate);
  return bound(at, type, (row) => {
    for (const choice of choices) {
      const value = choice(row);
      if (value !== null) return value;
    }
    return null;
  });
}

function bindNullIf(at: number, given: readonly Bound[]): Bound {
  const [value, other] = given;
  if (value === undefined || other === undefined) throw new ExpressionProblem(at, 'NULLIF takes 2 arguments');
  const equal = bindComparison(at, '=', value, other).evaluate;
  return bound(at, value.type, (row) => (equal(row) === true ? null : value.evaluate(row)));
}

/** LEAST and GREATEST: nulls are passed over, as in Spark SQL; text does not mix with other types. */
function bindExtreme(at: number, given: readonly Bound[], better: (order: number) => boolean): Bound {
  const type = foldTypes(
    given.map((argument) => argument.type),
    widerType,
  );
  if (type === undefined) throw new ExpressionProblem(at, 'the arguments have no type in common');
  const compare = comparatorOf(type);
  const choices = given.map((argument) => convert(argument, type).evaluate);
  return bound(at, type, (row) => {
    let best: SqlValue = null;
    for (const choice of choices) {
      const value = choice(row);
      if (value !== null && (best === null || better(compare(value, best)))) best = value;
    }
    return best;
  });
}
