import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { Source, SourceItem } from '../source.ts';
import { batchesOf, type PlacedFrame } from './batch.ts';
import { fileIdentity, fingerprintOf, framesOf, type FileSourceOptions } from './file.ts';
import type { Frame } from './frames.ts';
import { malformed, notUtf8, tooLarge } from './malformed.ts';

/**
 * A CSV file after RFC 4180: commas, double quotes, LF or CRLF, a header, UTF-8 with or without a byte order mark.
 * Values are texts. A position is the number of the record. Blank lines are passed over where there is more than one column.
 */
export function csvSource(options: FileSourceOptions): Source {
  return {
    name: options.path,
    identity: fileIdentity('csv', options.path),
    fingerprint: (headBytes) => fingerprintOf(options.path, headBytes),
    async *batches(fields, { from, signal }) {
      let header: Header | undefined;
      const required = (): Header => {
        if (header === undefined) throw new WardlineError('INTERNAL', 'a row was read before the header');
        return header;
      };
      yield* batchesOf(framesOf(options, { quotes: true }, signal), {
        from,
        signal,
        batchRecords: options.batchRecords,
        skip(frame) {
          if (header !== undefined) return frame.totalBytes === 0 && header.width > 1;
          header = readHeader(frame, fields, options);
          return true;
        },
        itemsOf: (rows) => itemsOf(rows, required(), options.rowLimitBytes),
      });
    },
  };
}

interface Header {
  readonly width: number;
  /** For each field the column that holds it. */
  readonly columns: readonly number[];
}

function readHeader(frame: Frame, fields: readonly string[], { path, onExtraColumns }: FileSourceOptions): Header {
  if (frame.tooLarge !== undefined || !isUtf8(frame.bytes)) {
    throw new WardlineError('SOURCE_ENCODING', `the first line of ${path} is not a header in UTF-8`, {
      hint: 'convert the file to UTF-8',
    });
  }
  const names = frame.open ? undefined : cellsOf(frame, parseTogether([frame]));
  if (names === undefined) {
    throw new WardlineError('SOURCE_ENCODING', `the header of ${path} is not valid CSV: a quote is out of place`, {
      hint: 'quote as RFC 4180 says: "…", with "" for a quote inside',
    });
  }
  const twice = names.filter((name, index) => name !== '' && names.indexOf(name) !== index);
  if (twice.length > 0) {
    throw new WardlineError('SOURCE_COLUMNS_AMBIGUOUS', `${path} has columns of the same name: ${list(twice)}`, {
      hint: 'rename them in the header',
    });
  }
  const missing = fields.filter((field) => !names.includes(field));
  if (missing.length > 0) {
    throw new WardlineError('SOURCE_COLUMNS_MISSING', `${path} lacks columns of the contract: ${list(missing)}`, {
      hint: 'correct the header or the contract; --set FIELD=VALUE gives a field one value for the whole run',
    });
  }
  const extra = names.filter((name) => !fields.includes(name));
  if (extra.length > 0) onExtraColumns?.(extra);
  return { width: names.length, columns: fields.map((field) => names.indexOf(field)) };
}

function itemsOf(rows: readonly PlacedFrame[], header: Header, limit: number): SourceItem[] {
  const parsed = parseTogether(rows.map((row) => row.frame));
  return rows.map(({ frame, position }) => {
    if (frame.tooLarge !== undefined) return tooLarge(frame, position, limit);
    if (!isUtf8(frame.bytes)) return notUtf8(frame, position);
    if (frame.open) return malformed(frame, position, 'ROW_MALFORMED', 'a quotation is not closed');
    const cells = cellsOf(frame, parsed);
    if (cells === undefined) return malformed(frame, position, 'ROW_MALFORMED', 'a quote is out of place');
    if (cells.length !== header.width) {
      const detail = `${cells.length} fields instead of ${header.width}`;
      return malformed(frame, position, 'ROW_MALFORMED', detail);
    }
    return { values: header.columns.map((column) => cells[column]), position };
  });
}

function isReadableByLibrary(frame: Frame): boolean {
  return frame.quoted && frame.tooLarge === undefined && !frame.open && isUtf8(frame.bytes);
}

type Cells = readonly string[] | undefined;

function cellsOf(frame: Frame, parsed: ReadonlyMap<Frame, Cells>): Cells {
  return frame.quoted ? parsed.get(frame) : frame.bytes.toString().split(',');
}

/** Rows with quotes are the library's work: all of a batch in one call, which costs a quarter of one call each. */
function parseTogether(frames: readonly Frame[]): ReadonlyMap<Frame, Cells> {
  const quoted = frames.filter(isReadableByLibrary);
  if (quoted.length === 0) return new Map();
  const together = parseRows(quoted.map((frame) => frame.bytes.toString()).join('\n'));
  if (together?.length === quoted.length) return new Map(quoted.map((frame, index) => [frame, together[index]]));
  return new Map(quoted.map((frame) => [frame, parseRows(frame.bytes.toString())?.[0]]));
}

function parseRows(text: string): string[][] | undefined {
  try {
    return parse(text, { record_delimiter: '\n', relax_column_count: true });
  } catch {
    // Which row it was, and what is wrong with it, the caller finds out by parsing each alone.
    return undefined;
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => `“${name}”`).join(', ');
}
