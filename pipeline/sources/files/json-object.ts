/** Deeper values are refused: what handles them later recurses. */
const DEPTH_LIMIT = 64;
/** A number of fewer digits is always held exactly. */
const LONG_NUMBER = /\d{16}|[\d.]{17}/;

export type ParsedObject =
  | { readonly ok: true; readonly object: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: string };

/**
 * Parses one JSON object (RFC 8259). Numbers that a double does not hold exactly come as their text, so that no digit is
 * lost. Refused: what is no JSON (NaN, say), no object, nested deeper than 64 levels, or has one name twice (section 4:
 * what others would read there is unpredictable).
 */
export function parseObject(text: string): ParsedObject {
  const shape = shapeOf(text);
  if (shape.depth > DEPTH_LIMIT) return { ok: false, problem: `nested deeper than ${DEPTH_LIMIT} levels` };
  const value = parseExactly(text);
  if (value === undefined) return { ok: false, problem: 'not JSON' };
  if (!isObject(value)) return { ok: false, problem: 'JSON, but not an object' };
  if (Object.keys(value).length !== shape.members) return { ok: false, problem: 'one name stands in it twice' };
  return { ok: true, object: value };
}

function parseExactly(text: string): unknown {
  try {
    return LONG_NUMBER.test(text) ? JSON.parse(text, exactNumber as Reviver) : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

type Reviver = (key: string, value: unknown) => unknown;

/** The third argument holds the number's own text (ECMAScript 2026, JSON.parse source text access). */
function exactNumber(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value;
  return significant(context.source) === significant(String(value)) ? value : context.source;
}

/** The digits that count in a number, and its power of ten, so that 1.50e3 and 1500 are the same. */
function significant(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '0' : `${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}

const CODE = { quote: 0x22, colon: 0x3a, backslash: 0x5c, opening: [0x5b, 0x7b], closing: [0x5d, 0x7d] } as const;

/** How deep a text nests, and how many members its outermost object has, repeated names counted. Says nothing of validity. */
function shapeOf(text: string): { readonly depth: number; readonly members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === CODE.quote) at = endOfString(text, at);
    else if (code === CODE.colon) members += Number(depth === 1);
    else if (code === CODE.opening[0] || code === CODE.opening[1]) deepest = Math.max(deepest, (depth += 1));
    else if (code === CODE.closing[0] || code === CODE.closing[1]) depth -= 1;
  }
  return { depth: deepest, members };
}

/** Where the string that opens at `opening` closes: at the first quote that no odd number of backslashes stands before. */
function endOfString(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === CODE.backslash) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
