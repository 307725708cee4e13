import { createHash, type Hash } from 'node:crypto';
import { KEPT_BYTES } from '../source.ts';

/** One row of a file, as bytes without its line break. */
export interface Frame {
  /** All of the row, or its beginning where it is too large. */
  readonly bytes: Buffer;
  readonly totalBytes: number;
  /** Whether a quote occurs in it: without one, commas are all that separates fields. */
  readonly quoted: boolean;
  /** SHA-256 of the whole row, set where it is larger than the limit. */
  readonly tooLarge: string | undefined;
  /** Whether the input ended inside a quotation. */
  readonly open: boolean;
}

export interface FramerOptions {
  /** Whether line breaks between quotes belong to the row (RFC 4180 section 2.6). */
  readonly quotes: boolean;
  readonly rowLimitBytes: number;
}

/** Cuts a stream of bytes into rows. Holds at most one row, and of a row beyond the limit only its beginning. */
export interface Framer {
  push(chunk: Buffer): Frame[];
  /** The last row, where it has no line break. */
  end(): Frame[];
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;

/** Where in a field the reading stands. A quote opens a quotation only at the start of a field. */
type Place = 'start' | 'plain' | 'quotation' | 'after-quote';

export function createFramer({ quotes, rowLimitBytes }: FramerOptions): Framer {
  let place: Place = 'start';
  let parts: Buffer[] = [];
  let total = 0;
  let quoted = false;
  let hash: Hash | undefined;

  /** Adds a piece of the present row; past the limit it is only hashed. */
  const keep = (piece: Buffer): void => {
    total += piece.length;
    if (hash !== undefined) {
      hash.update(piece);
      return;
    }
    parts.push(piece);
    if (total <= rowLimitBytes) return;
    hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    const head = Buffer.concat(parts, Math.min(total, KEPT_BYTES));
    parts = [head];
  };

  const finish = (): Frame => {
    const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    const bytes = hash === undefined ? withoutCarriageReturn(whole) : whole;
    const frame: Frame = {
      bytes,
      totalBytes: hash === undefined ? bytes.length : total,
      quoted,
      tooLarge: hash?.digest('hex'),
      open: place === 'quotation',
    };
    place = 'start';
    parts = [];
    total = 0;
    quoted = false;
    hash = undefined;
    return frame;
  };

  /** Goes on from `at`, byte by byte where quotes are, and returns where the row's line break is, or −1. */
  const endOfRow = (chunk: Buffer, from: number): number => {
    let at = from;
    while (at < chunk.length) {
      if (place === 'quotation') {
        const closing = chunk.indexOf(QUOTE, at);
        if (closing < 0) return -1;
        place = 'after-quote';
        at = closing + 1;
        continue;
      }
      const byte = chunk[at];
      if (byte === NEWLINE) return at;
      if (byte === COMMA) place = 'start';
      else if (byte === QUOTE && place !== 'plain') place = 'quotation';
      else place = 'plain';
      at += 1;
    }
    return -1;
  };

  return {
    push(chunk) {
      const frames: Frame[] = [];
      let nextQuote = quotes ? chunk.indexOf(QUOTE) : -1;
      for (let at = 0; at < chunk.length;) {
        if (nextQuote >= 0 && nextQuote < at) nextQuote = chunk.indexOf(QUOTE, at);
        const newline = place === 'quotation' ? -1 : chunk.indexOf(NEWLINE, at);
        const stop = newline < 0 ? chunk.length : newline;
        const plain = place !== 'quotation' && (nextQuote < 0 || nextQuote > stop);
        if (!plain && nextQuote >= 0) quoted = true;
        const end = plain ? newline : endOfRow(chunk, at);
        keep(chunk.subarray(at, end < 0 ? chunk.length : end));
        if (end < 0) {
          if (plain && quotes) place = chunk.at(-1) === COMMA ? 'start' : 'plain';
          break;
        }
        frames.push(finish());
        at = end + 1;
      }
      return frames;
    },
    end: () => (total > 0 || place === 'quotation' ? [finish()] : []),
  };
}

function withoutCarriageReturn(row: Buffer): Buffer {
  return row.at(-1) === CARRIAGE_RETURN ? row.subarray(0, -1) : row;
}
