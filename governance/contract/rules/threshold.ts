import type { QualityDocument } from '../document/shape.ts';

export interface Threshold {
  readonly text: string;
  holds(count: number): boolean;
}

type Operator = Extract<keyof QualityDocument, `must${string}`>;

/** ODCS' comparison operators for a count: how each is written out, and when it holds. */
const OPERATORS: Readonly<Record<Operator, { words: string; holds(count: number, a: number, b: number): boolean }>> = {
  mustBe: { words: 'must be', holds: (count, a) => count === a },
  mustNotBe: { words: 'must not be', holds: (count, a) => count !== a },
  mustBeGreaterThan: { words: 'must be greater than', holds: (count, a) => count > a },
  mustBeGreaterOrEqualTo: { words: 'must be at least', holds: (count, a) => count >= a },
  mustBeLessThan: { words: 'must be less than', holds: (count, a) => count < a },
  mustBeLessOrEqualTo: { words: 'must be at most', holds: (count, a) => count <= a },
  mustBeBetween: { words: 'must be between', holds: (count, a, b) => count >= a && count <= b },
  mustNotBeBetween: { words: 'must not be between', holds: (count, a, b) => count < a || count > b },
};

export const OPERATOR_NAMES = Object.keys(OPERATORS) as readonly Operator[];

/** A rule's one operator, compiled; a text says what is wrong. */
export function compileThreshold(rule: QualityDocument): Threshold | string {
  const given = OPERATOR_NAMES.filter((name) => rule[name] !== undefined);
  const [name] = given;
  if (name === undefined || given.length > 1) return `needs exactly one of ${OPERATOR_NAMES.join(', ')}`;
  const value = rule[name];
  const [a, b] = Array.isArray(value) ? (value as unknown[]) : [value, value];
  if (typeof a !== 'number' || typeof b !== 'number') return `${name} must be a number`;
  const operator = OPERATORS[name];
  return { text: `${operator.words} ${a === b ? a : `${a} and ${b}`}`, holds: (count) => operator.holds(count, a, b) };
}
