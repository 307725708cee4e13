import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { isMalformed } from '../../../pipeline/sources/source.ts';
import { SYNTHETIC_FIELDS, syntheticSource } from '../../../pipeline/sources/synthetic/source.ts';

/** Homes that report side by side, each once a minute. */
const HOMES = 20;
const SEED = 1;
const BATCH_RECORDS = 1000;

/** Real-shaped records as texts, one array of cells each, in the order of `RECORD_FIELDS`: the same for each call. */
export async function* records(count: number): AsyncGenerator<readonly (readonly string[])[]> {
  let left = count;
  const source = syntheticSource({ seed: SEED, homes: HOMES, batchRecords: BATCH_RECORDS });
  for await (const batch of source.batches(SYNTHETIC_FIELDS, { from: 0 })) {
    const taken = batch.slice(0, left);
    yield taken.map((item) => (isMalformed(item) ? [] : item.values.map(String)));
    left -= taken.length;
    if (left === 0) return;
  }
}

export const RECORD_FIELDS = SYNTHETIC_FIELDS;

/** Writes `count` records as a CSV file with a header (RFC 4180). No value needs quotes. */
export async function writeRecords(path: string, count: number): Promise<void> {
  const file = createWriteStream(path, { mode: 0o600 });
  file.write(`${RECORD_FIELDS.join(',')}\n`);
  for await (const batch of records(count)) {
    const text = batch.map((cells) => `${cells.join(',')}\n`).join('');
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}
