import { basename, extname } from 'node:path';
import { WardlineError } from '../../core/errors/errors.ts';
import { inferColumns } from './propose/infer.ts';
import { chooseKey } from './propose/key.ts';
import { isSampleFormat, readSample } from './propose/sample.ts';
import { writeProposal } from './propose/write.ts';
import { snakeCase } from './rules/names.ts';

const SAMPLE_ROWS = 1000;

export interface ProposeOptions {
  readonly path: string;
  /** `csv` or `jsonl`. */
  readonly format: string;
  /** Rows that types are inferred from; 1,000 unless told otherwise. */
  readonly sampleRows?: number;
}

/**
 * Proposes a contract for a file, as YAML with comments on what a person must decide: names made of the columns', types
 * inferred from the first rows, a time as key, and every other column `personal` until someone says otherwise. It passes
 * validation, or says at its top what is missing. Throws USAGE for another format, SOURCE_UNREADABLE or SOURCE_EMPTY.
 */
export async function proposeContract(options: ProposeOptions): Promise<string> {
  const { path, format } = options;
  if (!isSampleFormat(format)) {
    throw new WardlineError('USAGE', `a contract cannot be proposed from ${format}`, {
      hint: 'the format is csv or jsonl',
    });
  }
  const sample = await readSample(path, format, options.sampleRows ?? SAMPLE_ROWS);
  const columns = inferColumns(sample);
  const name = snakeCase(basename(path, extname(path)));
  return writeProposal({
    name,
    path,
    format,
    rows: sample.rows.length,
    columns,
    key: chooseKey(columns),
    nested: sample.nested,
  });
}
