import { ExpressionProblem } from '../failure.ts';
import { parsePrimary } from './parse-primary.ts';
import { readTokens, type TokenReader } from './token-reader.ts';
import type { BinaryOperator, Tree } from './tree.ts';

const LENGTH_LIMIT = 20_000;

/** How strongly each kind of operator binds, weakest first. */
const BINDING = {
  or: 1,
  and: 2,
  not: 3,
  predicate: 4,
  comparison: 5,
  additive: 6,
  multiplicative: 7,
  sign: 8,
} as const;

/** Binary operators as they are written; `!=` is another spelling of `<>`. All of them group from the left. */
const BINARY: Readonly<Partial<Record<string, { readonly binding: number; readonly operator: BinaryOperator }>>> = {
  OR: { binding: BINDING.or, operator: 'OR' },
  AND: { binding: BINDING.and, operator: 'AND' },
  '=': { binding: BINDING.comparison, operator: '=' },
  '<>': { binding: BINDING.comparison, operator: '<>' },
  '!=': { binding: BINDING.comparison, operator: '<>' },
  '<': { binding: BINDING.comparison, operator: '<' },
  '<=': { binding: BINDING.comparison, operator: '<=' },
  '>': { binding: BINDING.comparison, operator: '>' },
  '>=': { binding: BINDING.comparison, operator: '>=' },
  '+': { binding: BINDING.additive, operator: '+' },
  '-': { binding: BINDING.additive, operator: '-' },
  '||': { binding: BINDING.additive, operator: '||' },
  '*': { binding: BINDING.multiplicative, operator: '*' },
  '/': { binding: BINDING.multiplicative, operator: '/' },
  '%': { binding: BINDING.multiplicative, operator: '%' },
};

/** Words that stand after an operand and make a condition of it, after an optional NOT. */
const PREDICATES: Readonly<
  Partial<Record<string, (reader: TokenReader, at: number, operand: Tree, negated: boolean) => Tree>>
> = {
  IN: (reader, at, operand, negated) => ({ kind: 'in', at, operand, list: parseList(reader), negated }),
  BETWEEN(reader, at, operand, negated) {
    const low = parseFrom(reader, BINDING.additive);
    reader.expects('AND');
    return { kind: 'between', at, operand, low, high: parseFrom(reader, BINDING.additive), negated };
  },
  LIKE(reader, at, operand, negated) {
    const pattern = parseFrom(reader, BINDING.additive);
    if (reader.sees('ESCAPE'))
      throw new ExpressionProblem(reader.peek().at, 'ESCAPE is not supported', 'the escape character is \\');
    return { kind: 'like', at, operand, pattern, negated };
  },
};

/**
 * Parses one SQL expression (operator precedence by binding powers, after Pratt) with the precedences of Spark SQL.
 * Throws an ExpressionProblem with the place of the first mistake.
 */
export function parse(text: string): Tree {
  if (text.length > LENGTH_LIMIT) throw new ExpressionProblem(0, `longer than ${LENGTH_LIMIT} characters`);
  const reader = readTokens(text);
  const tree = parseFrom(reader, 0);
  const rest = reader.peek();
  if (rest.kind !== 'end') throw new ExpressionProblem(rest.at, 'the expression should have ended before this');
  return tree;
}

/** Parses as far as operators bind at least as strongly as `binding`. */
function parseFrom(reader: TokenReader, binding: number): Tree {
  return reader.deeper(() => {
    let left = parsePrefix(reader, binding);
    for (;;) {
      const longer = parseInfix(reader, left, binding);
      if (longer === undefined) return left;
      left = longer;
    }
  });
}

function parsePrefix(reader: TokenReader, binding: number): Tree {
  const { at } = reader.peek();
  if (reader.sees('NOT')) {
    if (binding > BINDING.not) throw new ExpressionProblem(at, 'NOT cannot stand here', 'put it in brackets');
    reader.take();
    return { kind: 'unary', at, operator: 'NOT', operand: parseFrom(reader, BINDING.not) };
  }
  if (reader.sees('+', '-')) {
    const operator = reader.take().text === '-' ? '-' : '+';
    if (operator === '-' && reader.peek().kind === 'number') return parsePrimary(reader, parseAny, at);
    return { kind: 'unary', at, operator, operand: parseFrom(reader, BINDING.sign) };
  }
  return parsePrimary(reader, parseAny);
}

const parseAny = (reader: TokenReader): Tree => parseFrom(reader, 0);

function parseInfix(reader: TokenReader, left: Tree, binding: number): Tree | undefined {
  const token = reader.peek();
  if (token.kind !== 'symbol' && token.kind !== 'word') return undefined;
  const row = BINARY[token.text.toUpperCase()];
  if (row !== undefined) {
    if (row.binding < binding) return undefined;
    reader.take();
    const right = parseFrom(reader, row.binding + 1);
    return { kind: 'binary', at: token.at, operator: row.operator, left, right };
  }
  return binding > BINDING.predicate ? undefined : parsePredicate(reader, left);
}

function parsePredicate(reader: TokenReader, operand: Tree): Tree | undefined {
  const { at } = reader.peek();
  if (reader.accepts('IS')) {
    const negated = reader.accepts('NOT');
    reader.expects('NULL');
    return { kind: 'isNull', at, operand, negated };
  }
  const negated = reader.accepts('NOT');
  const word = reader.peek();
  const predicate = word.kind === 'word' ? PREDICATES[word.text.toUpperCase()] : undefined;
  if (predicate === undefined) {
    if (negated) throw new ExpressionProblem(word.at, 'IN, BETWEEN or LIKE is missing after NOT');
    return undefined;
  }
  reader.take();
  return predicate(reader, at, operand, negated);
}

function parseList(reader: TokenReader): readonly Tree[] {
  reader.expects('(');
  const list = [parseAny(reader)];
  while (reader.accepts(',')) list.push(parseAny(reader));
  reader.expects(')');
  return list;
}
