import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { WardlineError } from '../../../core/errors/errors.ts';

export type SampleFormat = 'csv' | 'jsonl';

/** Longest row of a sample, in bytes: a proposal needs no more to see a type. */
const ROW_LIMIT_BYTES = 1024 * 1024;

export interface Sample {
  readonly fields: readonly string[];
  /** Each row's values, aligned with the fields; undefined where a row has none. */
  readonly rows: readonly (readonly unknown[])[];
  /** Fields that hold nested JSON, which no column can. */
  readonly nested: readonly string[];
}

const READERS: Readonly<Record<SampleFormat, (path: string, count: number) => Promise<Sample>>> = {
  csv: readCsv,
  jsonl: readJsonLines,
};

export function isSampleFormat(format: string): format is SampleFormat {
  return Object.hasOwn(READERS, format);
}

/** The first `count` rows of a file. Throws SOURCE_UNREADABLE, or SOURCE_EMPTY where there is not even a header. */
export async function readSample(path: string, format: SampleFormat, count: number): Promise<Sample> {
  let sample: Sample;
  try {
    sample = await READERS[format](path, count);
  } catch (error) {
    // A parser's message may repeat what it could not read; a system's names the file.
    const reason = error instanceof Error && 'syscall' in error ? error.message : `it is no ${format} file`;
    throw new WardlineError('SOURCE_UNREADABLE', `${path} cannot be read: ${reason}`);
  }
  if (sample.fields.length > 0) return sample;
  throw new WardlineError('SOURCE_EMPTY', `${path} is empty: a contract is proposed from its columns`);
}

async function readCsv(path: string, count: number): Promise<Sample> {
  const input = createReadStream(path);
  const rows: string[][] = [];
  try {
    const parser = input.pipe(
      parse({ bom: true, relaxColumnCount: true, to: count + 1, maxRecordSize: ROW_LIMIT_BYTES }),
    );
    input.once('error', (error) => parser.destroy(error));
    for await (const row of parser) rows.push(row as string[]);
  } finally {
    input.destroy();
  }
  const [fields = [], ...records] = rows;
  return { fields, rows: records.filter((row) => row.length === fields.length), nested: [] };
}

async function readJsonLines(path: string, count: number): Promise<Sample> {
  const input = createReadStream(path);
  const records: Record<string, unknown>[] = [];
  try {
    const lines = createInterface({ input, crlfDelay: Infinity });
    const failed = new Promise<never>((_, reject) => input.once('error', reject));
    const read = async (): Promise<void> => {
      for await (const line of lines) {
        if (line.trim() !== '') records.push(recordOf(line));
        if (records.length >= count) break;
      }
    };
    await Promise.race([read(), failed]);
  } finally {
    input.destroy();
  }
  const all = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const isNested = (field: string): boolean =>
    records.some((record) => typeof record[field] === 'object' && record[field] !== null);
  const fields = all.filter((field) => !isNested(field));
  return { fields, rows: records.map((record) => fields.map((field) => record[field])), nested: all.filter(isNested) };
}

function recordOf(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not an object');
  return value as Record<string, unknown>;
}
