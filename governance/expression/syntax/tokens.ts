import { ExpressionProblem } from '../failure.ts';

/** One word of an expression; `at` is where it begins, in UTF-16 units. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'symbol' | 'end';
  /** A quoted name or a text without its quotes; a symbol or number as it stands. */
  readonly text: string;
  readonly at: number;
}

/** Tried in this order at each place; the first group that matches names the token. */
const TOKEN =
  /(?<space>\s+)|(?<comment>--|\/\*)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?<tail>[\p{L}\p{N}_.]*))|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<quoted>"(?:[^"]|"")*")|(?<text>'(?:[^']|'')*')|(?<symbol><>|!=|<=|>=|\|\||[-+*/%=<>(),])/uy;

/**
 * Cuts an expression into tokens, the last one of kind `end`. Throws an ExpressionProblem at what belongs to no token,
 * at an open quotation and at comments.
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) throw unreadable(text, at);
    if (groups['comment'] !== undefined) throw new ExpressionProblem(at, 'comments have no place here');
    if (groups['tail']) throw new ExpressionProblem(at, 'a number is followed by what does not belong to it');
    const token = tokenOf(groups, at);
    if (token !== undefined) tokens.push(token);
    at = TOKEN.lastIndex;
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }];
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>, at: number): Token | undefined {
  const { word, number, symbol, quoted, text } = groups;
  if (word !== undefined) return { kind: 'word', text: word, at };
  if (number !== undefined) return { kind: 'number', text: number, at };
  if (symbol !== undefined) return { kind: 'symbol', text: symbol, at };
  if (quoted !== undefined) return { kind: 'quoted', text: quoted.slice(1, -1).replaceAll('""', '"'), at };
  if (text !== undefined) return { kind: 'text', text: text.slice(1, -1).replaceAll("''", "'"), at };
  return undefined;
}

function unreadable(text: string, at: number): ExpressionProblem {
  const character = text[at];
  if (character === "'")
    return new ExpressionProblem(at, 'a text is not closed', "end it with ', write '' for a ' in it");
  if (character === '"') return new ExpressionProblem(at, 'a quoted name is not closed', 'end it with "');
  return new ExpressionProblem(
    at,
    'a character that has no meaning',
    'names with other characters stand in "double quotes"',
  );
}
