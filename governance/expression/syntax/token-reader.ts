import { ExpressionProblem } from '../failure.ts';
import { tokenize, type Token } from './tokens.ts';

/** How deep an expression may be nested: far beyond any that a person writes, far below what a call stack holds. */
const DEPTH_LIMIT = 200;
/** A chain of operators makes a tree as deep as the chain is long, so the number of tokens is limited as well. */
const TOKEN_LIMIT = 2000;

/** A place in a list of tokens, with the questions that a parser asks of it. Words are compared without regard to case. */
export interface TokenReader {
  peek(ahead?: number): Token;
  take(): Token;
  /** Whether the next token is one of these symbols or unquoted words. */
  sees(...texts: string[]): boolean;
  /** Takes the next token where it is this one. */
  accepts(text: string): boolean;
  /** Takes the next token, or throws an ExpressionProblem saying what belongs there. */
  expects(text: string): Token;
  /** Runs `parse` one level deeper; throws where that is too deep. */
  deeper<T>(parse: () => T): T;
}

export function readTokens(text: string): TokenReader {
  const tokens = tokenize(text);
  const excess = tokens[TOKEN_LIMIT];
  if (excess !== undefined) throw new ExpressionProblem(excess.at, `more than ${TOKEN_LIMIT} words and signs`);
  const end: Token = { kind: 'end', text: '', at: text.length };
  let place = 0;
  let depth = 0;

  const peek = (ahead = 0): Token => tokens[place + ahead] ?? end;
  const take = (): Token => {
    const token = peek();
    place += 1;
    return token;
  };
  const sees = (...texts: string[]): boolean => {
    const token = peek();
    return (token.kind === 'symbol' || token.kind === 'word') && texts.includes(token.text.toUpperCase());
  };
  return {
    peek,
    take,
    sees,
    accepts(expected) {
      if (!sees(expected)) return false;
      take();
      return true;
    },
    expects(expected) {
      if (!sees(expected)) throw new ExpressionProblem(peek().at, `${expected} is missing`);
      return take();
    },
    deeper(parse) {
      depth += 1;
      if (depth > DEPTH_LIMIT) throw new ExpressionProblem(peek().at, `nested deeper than ${DEPTH_LIMIT} levels`);
      const result = parse();
      depth -= 1;
      return result;
    },
  };
}
