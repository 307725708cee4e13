import { ExpressionProblem } from '../failure.ts';
import { MAXIMUM_PRECISION, decimalType, type Type } from '../types/type.ts';
import { TYPED_TEXT, numberLiteral } from './literals.ts';
import type { TokenReader } from './token-reader.ts';
import type { Token } from './tokens.ts';
import { CAST_TYPES, type Tree, type TrimSide } from './tree.ts';

type ParseAny = (reader: TokenReader) => Tree;
type Special = (reader: TokenReader, parse: ParseAny, at: number) => Tree;

/** Words that cannot be a column's name unless it is quoted. */
const RESERVED = new Set(
  'AND OR NOT IN BETWEEN IS LIKE CASE WHEN THEN ELSE END CAST NULL TRUE FALSE AS FROM FOR ESCAPE DISTINCT SELECT WHERE'.split(
    ' ',
  ),
);

/** Words that mean a value by themselves. */
const CONSTANTS: Readonly<Partial<Record<string, { readonly type: Type; readonly value: boolean | null }>>> = {
  NULL: { type: { name: 'null' }, value: null },
  TRUE: { type: { name: 'boolean' }, value: true },
  FALSE: { type: { name: 'boolean' }, value: false },
};

/** Calls whose arguments have a form of their own. */
const SPECIAL: Readonly<Partial<Record<string, Special>>> = {
  CAST(reader, parse, at) {
    const operand = parse(reader);
    reader.expects('AS');
    return { kind: 'cast', at, operand, type: parseType(reader) };
  },
  EXTRACT(reader, parse, at) {
    const field = reader.take();
    if (field.kind !== 'word') throw new ExpressionProblem(field.at, 'the field to extract is missing');
    reader.expects('FROM');
    return { kind: 'extract', at, field: field.text.toUpperCase(), operand: parse(reader) };
  },
  TRIM(reader, parse, at) {
    const side = (['BOTH', 'LEADING', 'TRAILING'] as const).find((word) => reader.accepts(word));
    if (side !== undefined && reader.accepts('FROM')) return trim(at, side, undefined, parse(reader));
    const first = parse(reader);
    return reader.accepts('FROM')
      ? trim(at, side ?? 'BOTH', first, parse(reader))
      : trim(at, side ?? 'BOTH', undefined, first);
  },
  SUBSTRING(reader, parse, at) {
    const given = [parse(reader)];
    const separators = reader.sees('FROM') ? ['FROM', 'FOR'] : [',', ','];
    for (const separator of separators) if (reader.accepts(separator)) given.push(parse(reader));
    return { kind: 'call', at, name: 'SUBSTRING', arguments: given };
  },
};

/**
 * Parses what stands between operators: a literal, a column, a call, CASE, or an expression in brackets.
 * `minusAt` is set where a minus sign belongs to the number that follows.
 */
export function parsePrimary(reader: TokenReader, parse: ParseAny, minusAt?: number): Tree {
  const token = reader.take();
  if (token.kind === 'number') return numberLiteral(token.text, minusAt !== undefined, minusAt ?? token.at);
  if (token.kind === 'text') return { kind: 'literal', at: token.at, type: { name: 'text' }, value: token.text };
  if (token.kind === 'quoted') return { kind: 'column', at: token.at, name: token.text, quoted: true };
  if (token.kind === 'word') return parseWord(reader, parse, token);
  if (token.text !== '(') throw new ExpressionProblem(token.at, 'a value is missing');
  const inner = parse(reader);
  reader.expects(')');
  return inner;
}

function parseWord(reader: TokenReader, parse: ParseAny, token: Token): Tree {
  const { at } = token;
  const word = token.text.toUpperCase();
  const constant = CONSTANTS[word];
  if (constant !== undefined) return { kind: 'literal', at, ...constant };
  if (word === 'CASE') return parseCase(reader, parse, at);
  const typed = TYPED_TEXT[word];
  if (typed !== undefined && reader.peek().kind === 'text') return typed(reader.take().text, at);
  if (reader.sees('(') && (!RESERVED.has(word) || SPECIAL[word] !== undefined)) return parseCall(reader, parse, token);
  if (RESERVED.has(word))
    throw new ExpressionProblem(at, `${word} cannot stand here`, `a column of that name is written "${token.text}"`);
  return { kind: 'column', at, name: token.text, quoted: false };
}

function parseCall(reader: TokenReader, parse: ParseAny, token: Token): Tree {
  const name = token.text.toUpperCase();
  reader.expects('(');
  const special = SPECIAL[name];
  if (special !== undefined) {
    const tree = special(reader, parse, token.at);
    reader.expects(')');
    return tree;
  }
  const given: Tree[] = [];
  if (!reader.sees(')')) {
    do given.push(parse(reader));
    while (reader.accepts(','));
  }
  reader.expects(')');
  return { kind: 'call', at: token.at, name, arguments: given };
}

function parseCase(reader: TokenReader, parse: ParseAny, at: number): Tree {
  const operand = reader.sees('WHEN') ? undefined : parse(reader);
  const branches: { when: Tree; then: Tree }[] = [];
  do {
    reader.expects('WHEN');
    const when = parse(reader);
    reader.expects('THEN');
    branches.push({ when, then: parse(reader) });
  } while (reader.sees('WHEN'));
  const otherwise = reader.accepts('ELSE') ? parse(reader) : undefined;
  reader.expects('END');
  return { kind: 'case', at, operand, branches, otherwise };
}

function parseType(reader: TokenReader): Type {
  const token = reader.take();
  const type = token.kind === 'word' ? CAST_TYPES[token.text.toUpperCase()] : undefined;
  if (type === undefined)
    throw new ExpressionProblem(token.at, 'a type that is not known', `known: ${Object.keys(CAST_TYPES).join(', ')}`);
  if (type.name !== 'decimal' || !reader.accepts('(')) return type;
  const precision = parseDigits(reader, MAXIMUM_PRECISION, 1);
  const scale = reader.accepts(',') ? parseDigits(reader, precision, 0) : 0;
  reader.expects(')');
  return decimalType(precision, scale);
}

function parseDigits(reader: TokenReader, most: number, least: number): number {
  const token = reader.take();
  const value = token.kind === 'number' && /^\d+$/.test(token.text) ? Number(token.text) : -1;
  if (value < least || value > most)
    throw new ExpressionProblem(token.at, `a whole number from ${least} to ${most} is missing`);
  return value;
}

function trim(at: number, side: TrimSide, characters: Tree | undefined, operand: Tree): Tree {
  return { kind: 'trim', at, side, characters, operand };
}
