import type { DecimalType, SqlValue, Type } from '../types/type.ts';

/** The tree of a parsed expression. `at` is where a node begins in the text. */
export type Tree =
  | Literal
  | { readonly kind: 'column'; readonly at: number; readonly name: string; readonly quoted: boolean }
  | { readonly kind: 'unary'; readonly at: number; readonly operator: UnaryOperator; readonly operand: Tree }
  | Binary
  | { readonly kind: 'isNull'; readonly at: number; readonly operand: Tree; readonly negated: boolean }
  | {
      readonly kind: 'in';
      readonly at: number;
      readonly operand: Tree;
      readonly list: readonly Tree[];
      readonly negated: boolean;
    }
  | {
      readonly kind: 'between';
      readonly at: number;
      readonly operand: Tree;
      readonly low: Tree;
      readonly high: Tree;
      readonly negated: boolean;
    }
  | {
      readonly kind: 'like';
      readonly at: number;
      readonly operand: Tree;
      readonly pattern: Tree;
      readonly negated: boolean;
    }
  | Case
  | { readonly kind: 'cast'; readonly at: number; readonly operand: Tree; readonly type: Type }
  | { readonly kind: 'extract'; readonly at: number; readonly field: string; readonly operand: Tree }
  | {
      readonly kind: 'trim';
      readonly at: number;
      readonly side: TrimSide;
      readonly characters: Tree | undefined;
      readonly operand: Tree;
    }
  | { readonly kind: 'call'; readonly at: number; readonly name: string; readonly arguments: readonly Tree[] };

export interface Literal {
  readonly kind: 'literal';
  readonly at: number;
  readonly type: Type;
  readonly value: SqlValue;
}

interface Binary {
  readonly kind: 'binary';
  readonly at: number;
  readonly operator: BinaryOperator;
  readonly left: Tree;
  readonly right: Tree;
}

interface Case {
  readonly kind: 'case';
  readonly at: number;
  /** Set in the form `CASE x WHEN value THEN …`. */
  readonly operand: Tree | undefined;
  readonly branches: readonly { readonly when: Tree; readonly then: Tree }[];
  readonly otherwise: Tree | undefined;
}

type UnaryOperator = '-' | '+' | 'NOT';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | '||' | 'AND' | 'OR';
export type TrimSide = 'BOTH' | 'LEADING' | 'TRAILING';

/** The types that a CAST may name, with how many numbers may stand in brackets after them. */
export const CAST_TYPES: Readonly<Record<string, Type>> = {
  STRING: { name: 'text' },
  TEXT: { name: 'text' },
  VARCHAR: { name: 'text' },
  DOUBLE: { name: 'double' },
  BIGINT: { name: 'bigint' },
  LONG: { name: 'bigint' },
  INT: { name: 'int' },
  INTEGER: { name: 'int' },
  BOOLEAN: { name: 'boolean' },
  DATE: { name: 'date' },
  TIMESTAMP: { name: 'timestamp' },
  DECIMAL: { name: 'decimal', precision: 10, scale: 0 } satisfies DecimalType,
  NUMERIC: { name: 'decimal', precision: 10, scale: 0 } satisfies DecimalType,
};
