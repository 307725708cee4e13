import { RE2JS, RE2JSSyntaxException } from 're2js';

/** A compiled pattern larger than this would make every record slow. */
const PROGRAM_LIMIT = 5000;

export interface SafePattern {
  matches(text: string): boolean;
}

/**
 * Compiles a regular expression that is searched for anywhere in a text, as ODCS and JSON Schema have it. It runs on a
 * linear-time engine: a record cannot make the pipeline hang, however the pattern is written. What such an engine cannot
 * have (references back, looking ahead or behind) is refused with what is wrong.
 */
export function safePattern(given: unknown): SafePattern | { readonly problem: string } {
  if (typeof given !== 'string') return { problem: 'must be a regular expression' };
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(given));
    if (compiled.programSize() > PROGRAM_LIMIT) return { problem: 'is too large a regular expression' };
    return { matches: (text) => compiled.test(text) };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    return { problem: `is no regular expression that runs in linear time: ${error.message}` };
  }
}
