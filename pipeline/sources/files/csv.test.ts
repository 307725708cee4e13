import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemsOf, onlyMalformed, outline, temporaryFile } from '../../../test/support/source-files.ts';
import { KEPT_BYTES } from '../source.ts';
import { csvSource } from './csv.ts';

const LIMIT = 4096;

function source(content: string | Uint8Array, options: { limit?: number; chunk?: number; extra?: string[][] } = {}) {
  return csvSource({
    path: temporaryFile(content),
    batchRecords: 3,
    rowLimitBytes: options.limit ?? LIMIT,
    chunkBytes: options.chunk,
    onExtraColumns: (names) => options.extra?.push([...names]),
  });
}

const read = async (content: string | Uint8Array, fields = ['a', 'b'], options = {}) =>
  outline(await itemsOf(source(content, options), fields));

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

describe('what RFC 4180 allows', () => {
  test.each<[string, string | Uint8Array]>([
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['no line break at the end', 'a,b\n1,2\n3,4'],
    ['a byte order mark', '\ufeffa,b\n1,2\n3,4\n'],
    ['a byte order mark and a quoted header', '\ufeff"a","b"\r\n"1","2"\r\n3,4'],
    ['columns in another order', 'b,a\n2,1\n4,3\n'],
    ['blank lines', 'a,b\n\n1,2\n\r\n3,4\n\n'],
  ])('%s', async (_name, content) => {
    expect(await read(content)).toEqual([
      [1, ['1', '2']],
      [2, ['3', '4']],
    ]);
  });

  test('quotes hold commas, quotes and line breaks', async () => {
    expect(await read('a,b\n"x,y","say ""hi"""\r\n"line 1\r\nline 2\n","",\n"",""\n')).toEqual([
      [1, ['x,y', 'say "hi"']],
      [2, 'ROW_MALFORMED'],
      [3, ['', '']],
    ]);
    expect(await read('a,b\n"line 1\r\nline 2\n",z\n')).toEqual([[1, ['line 1\r\nline 2\n', 'z']]]);
  });

  test('a blank line is a record where there is one column', async () => {
    expect(await read('a\n\nx\n', ['a'])).toEqual([
      [1, ['']],
      [2, ['x']],
    ]);
  });

  test('a header alone gives no records', async () => {
    expect(await read('a,b\n')).toEqual([]);
    expect(await read('a,b')).toEqual([]);
  });

  test('extra columns are dropped, and told once', async () => {
    const extra: string[][] = [];
    expect(await read('x,a,y,b\n9,1,9,2\n9,3,9,4\n', ['a', 'b'], { extra })).toEqual([
      [1, ['1', '2']],
      [2, ['3', '4']],
    ]);
    expect(extra).toEqual([['x', 'y']]);
  });

  const cell = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.stringMatching(/^[,"\r\n a]{0,6}$/),
    fc.constant(''),
  );
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;

  test('reads what a writer wrote, and what csv-parse reads, however the file is cut into chunks', async () => {
    const tables = fc.array(fc.tuple(cell, cell, fc.boolean()), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        tables,
        fc.integer({ min: 3, max: 40 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, chunk, end) => {
          const lines = rows.map(([a, b, always]) =>
            [a, b].map((text) => (always || /[",\r\n]/.test(text) ? quote(text) : text)).join(','),
          );
          const content = ['a,b', ...lines].join(end) + end;
          const expected = rows.map(([a, b], index) => [index + 1, [a, b]]);
          expect(await read(content, ['a', 'b'], { chunk })).toEqual(expected);
          const oracle: string[][] = parse(content, { record_delimiter: end });
          expect(oracle.slice(1)).toEqual(rows.map(([a, b]) => [a, b]));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('bad rows are items, and the rows around them arrive', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['too few fields', 'a,b\n1,2\nx\n5,6\n', 'ROW_MALFORMED'],
    ['too many fields', 'a,b\n1,2\nx,y,z\n5,6\n', 'ROW_MALFORMED'],
    ['a quote in an open field', 'a,b\n1,2\n5" pipe,x\n5,6\n', 'ROW_MALFORMED'],
    ['something after a quotation', 'a,b\n1,2\n"x"y,z\n5,6\n', 'ROW_MALFORMED'],
    ['a bad quote among good ones', 'a,b\n"1","2"\n"x"y,z\n"5",6\n', 'ROW_MALFORMED'],
    ['invalid UTF-8', bytes('a,b\n1,2\nx,', [0xff, 0xfe], '\n5,6\n'), 'ENCODING_INVALID'],
    ['invalid UTF-8 in quotes', bytes('a,b\n1,2\nx,"', [0xc3], '"\n5,6\n'), 'ENCODING_INVALID'],
    ['a row that is too large', `a,b\n1,2\n${'x'.repeat(LIMIT)},y\n5,6\n`, 'ROW_TOO_LARGE'],
    ['a quotation that is too large', `a,b\n1,2\n"${'x\n'.repeat(LIMIT)}",y\n5,6\n`, 'ROW_TOO_LARGE'],
  ])('%s', async (_name, content, code) => {
    for (const chunk of [7, 64, 65_536]) {
      expect(await read(content, ['a', 'b'], { chunk })).toEqual([
        [1, ['1', '2']],
        [2, code],
        [3, ['5', '6']],
      ]);
    }
  });

  test('the broken last row of a file, and a quotation that never closes', async () => {
    expect(await read('a,b\n1,2\n\\')).toEqual([
      [1, ['1', '2']],
      [2, 'ROW_MALFORMED'],
    ]);
    expect(await read('a,b\n1,2\n"x,y\n5,6\n')).toEqual([
      [1, ['1', '2']],
      [2, 'ROW_MALFORMED'],
    ]);
  });

  test('a malformed row keeps its own bytes, its length and its hash, and says what is wrong without a value', async () => {
    const [row] = onlyMalformed(await itemsOf(source('a,b\n"SECRET""",x,y\r\n1,2\n'), ['a', 'b']));
    const raw = Buffer.from('"SECRET""",x,y');
    expect(row).toMatchObject({ totalBytes: raw.length, detail: '3 fields instead of 2' });
    expect(Buffer.from(row?.bytes ?? []).equals(raw)).toBe(true);
    expect(row?.sha256).toBe(createHash('sha256').update(raw).digest('hex'));
  });

  test('of a row far beyond the limit only the head is held, with length and hash of the whole', async () => {
    const big = Buffer.alloc(3 * KEPT_BYTES, 'x');
    const content = Buffer.concat([Buffer.from('a,b\n'), big, Buffer.from(',y\n5,6\n')]);
    const items = await itemsOf(source(content, { limit: KEPT_BYTES }), ['a', 'b']);
    const whole = Buffer.concat([big, Buffer.from(',y')]);
    expect(outline(items)).toEqual([
      [1, 'ROW_TOO_LARGE'],
      [2, ['5', '6']],
    ]);
    const [row] = onlyMalformed(items);
    expect(row?.bytes.length).toBe(KEPT_BYTES);
    expect(row?.totalBytes).toBe(whole.length);
    expect(row?.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
  });

  test('a cell of ten megabytes within the limit arrives whole', async () => {
    const cell = 'z'.repeat(10 * 1024 * 1024);
    const items = await itemsOf(source(`a,b\n${cell},"${cell}"\n1,2\n`, { limit: 32 * 1024 * 1024 }), ['a', 'b']);
    expect(outline(items)).toEqual([
      [1, [cell, cell]],
      [2, ['1', '2']],
    ]);
  });
});

describe('files that are refused', () => {
  test.each<[string, string | Uint8Array, string, RegExp]>([
    ['an empty file', '', 'SOURCE_EMPTY', /is empty/],
    ['missing columns, all named', 'a,x\n1,2\n', 'SOURCE_COLUMNS_MISSING', /“b”, “c d”/],
    ['two columns of one name', 'a,b,c d,a\n', 'SOURCE_COLUMNS_AMBIGUOUS', /“a”/],
    ['a header that is not UTF-8', bytes('a,b,c d', [0xff], '\n'), 'SOURCE_ENCODING', /UTF-8/],
    ['UTF-16', Buffer.from('\ufeffa,b\n', 'utf16le'), 'SOURCE_ENCODING', /UTF-16/],
    ['a header with an open quotation', '"a,b\n1,2\n', 'SOURCE_ENCODING', /quote/],
  ])('%s', async (_name, content, code, message) => {
    const reading = itemsOf(source(content), ['a', 'b', 'c d']);
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test('a file that is not there, and a folder', async () => {
    const missing = csvSource({ path: '/nonexistent/x.csv', batchRecords: 3, rowLimitBytes: LIMIT });
    await expect(itemsOf(missing, ['a'])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    await expect(missing.fingerprint()).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
    const folder = csvSource({ path: '/', batchRecords: 3, rowLimitBytes: LIMIT });
    await expect(itemsOf(folder, ['a'])).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });
});

test('whatever the bytes, reading never throws, counts without a gap, and does not depend on the chunks', async () => {
  const byte = fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0x61, 0xc3, 0xa4, 0xff, 0x00);
  await fc.assert(
    fc.asyncProperty(fc.array(byte, { maxLength: 60 }), fc.integer({ min: 3, max: 12 }), async (garbage, chunk) => {
      const content = bytes('a,b\n', garbage);
      const whole = await read(content, ['a', 'b'], { limit: 20 });
      expect(await read(content, ['a', 'b'], { limit: 20, chunk })).toEqual(whole);
      expect(whole.map((item) => (item as unknown[])[0])).toEqual(whole.map((_item, index) => index + 1));
    }),
    { numRuns: 500 },
  );
});

test('reading goes on after any position with the same items', async () => {
  const rows = Array.from({ length: 20 }, (_unused, index) => (index % 7 === 3 ? 'broken' : `${index},"q${index}"`));
  const file = source(`a,b\n${rows.join('\n')}\n`);
  const all = outline(await itemsOf(file, ['a', 'b']));
  for (let from = 0; from <= 21; from += 1)
    expect(outline(await itemsOf(file, ['a', 'b'], from))).toEqual(all.slice(from));
});

test('stops between two batches when it is told to', async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const batch of source(`a,b\n${'1,2\n'.repeat(100)}`).batches(['a'], { from: 0, signal: stop.signal })) {
    seen.push(batch.length);
    stop.abort();
  }
  expect(seen).toEqual([3]);
});
