import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { isMalformed, type Malformed, type Source, type SourceItem } from '../../pipeline/sources/source.ts';

/** A file that is gone when the test is. */
export function temporaryFile(content: string | Uint8Array, name = 'input'): string {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-source-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export async function itemsOf(source: Source, fields: readonly string[], from = 0): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const batch of source.batches(fields, { from })) items.push(...batch);
  return items;
}

/** What a test compares: values of records, codes of malformed rows, each after its position. */
export function outline(items: readonly SourceItem[]): unknown[] {
  return items.map((item) => [item.position, isMalformed(item) ? item.code : item.values]);
}

export function onlyMalformed(items: readonly SourceItem[]): Malformed[] {
  return items.filter(isMalformed);
}

/** A source that holds records in memory, for tests of what stands round a source. */
export function memorySource(rows: readonly (readonly unknown[])[], batchRecords = 3): Source {
  return {
    name: 'memory',
    identity: { format: 'memory' },
    fingerprint: () => Promise.resolve(undefined),
    async *batches(_fields, { from, signal }) {
      await Promise.resolve();
      for (let start = from; start < rows.length; start += batchRecords) {
        if (signal?.aborted === true) return;
        yield rows.slice(start, start + batchRecords).map((values, index) => ({ values, position: start + index + 1 }));
      }
    },
  };
}
