import { isUtf8 } from 'node:buffer';
import type { Source, SourceItem } from '../source.ts';
import { batchesOf, type PlacedFrame } from './batch.ts';
import { fileIdentity, fingerprintOf, framesOf, type FileSourceOptions } from './file.ts';
import type { Frame } from './frames.ts';
import { parseObject } from './json-object.ts';
import { malformed, notUtf8, tooLarge } from './malformed.ts';

/**
 * A file of JSON objects, one a line, in UTF-8 (RFC 8259). Values are as JSON has them, but a number that a double would not
 * hold exactly is its text. A field that an object lacks is undefined. A position is the number of the object; blank lines
 * are passed over.
 */
export function jsonlSource(options: FileSourceOptions): Source {
  return {
    name: options.path,
    identity: fileIdentity('jsonl', options.path),
    fingerprint: (headBytes) => fingerprintOf(options.path, headBytes),
    async *batches(fields, { from, signal }) {
      const noteExtra = extraNoter(fields, options.onExtraColumns);
      yield* batchesOf(framesOf(options, { quotes: false }, signal), {
        from,
        signal,
        batchRecords: options.batchRecords,
        skip: isBlank,
        itemsOf: (rows) => rows.map((row) => itemOf(row, fields, options.rowLimitBytes, noteExtra)),
      });
    },
  };
}

type NoteExtra = (object: Readonly<Record<string, unknown>>) => void;

function itemOf(
  { frame, position }: PlacedFrame,
  fields: readonly string[],
  limit: number,
  note: NoteExtra,
): SourceItem {
  if (frame.tooLarge !== undefined) return tooLarge(frame, position, limit);
  if (!isUtf8(frame.bytes)) return notUtf8(frame, position);
  const parsed = parseObject(frame.bytes.toString());
  if (!parsed.ok) return malformed(frame, position, 'ROW_MALFORMED', parsed.problem);
  note(parsed.object);
  // Own members only: a field called `constructor` is not in an object that does not have it.
  const values = fields.map((field) => (Object.hasOwn(parsed.object, field) ? parsed.object[field] : undefined));
  return { values, position };
}

/** Tells of the first object's members that no field asks for; later objects are taken to be like it. */
function extraNoter(fields: readonly string[], tell: FileSourceOptions['onExtraColumns']): NoteExtra {
  let told = false;
  return (object) => {
    if (told) return;
    told = true;
    const extra = Object.keys(object).filter((name) => !fields.includes(name));
    if (extra.length > 0) tell?.(extra);
  };
}

const BLANKS = new Set([0x20, 0x09, 0x0d]);

function isBlank({ bytes, tooLarge: large }: Frame): boolean {
  return large === undefined && bytes.every((byte) => BLANKS.has(byte));
}
