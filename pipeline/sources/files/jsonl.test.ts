import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemsOf, onlyMalformed, outline, temporaryFile } from '../../../test/support/source-files.ts';
import { parseObject } from './json-object.ts';
import { jsonlSource } from './jsonl.ts';

const LIMIT = 4096;

function source(content: string | Uint8Array, extra: string[][] = []) {
  return jsonlSource({
    path: temporaryFile(content),
    batchRecords: 2,
    rowLimitBytes: LIMIT,
    onExtraColumns: (names) => extra.push([...names]),
  });
}

const read = async (content: string | Uint8Array, fields = ['a', 'b']) =>
  outline(await itemsOf(source(content), fields));
const line = async (text: string) => (await read(`${text}\n`))[0];

describe('values', () => {
  test('are as JSON has them; what is absent is undefined', async () => {
    expect(await read('\ufeff{"a":1.5,"b":null}\r\n\n{"b":{"x":[1,"y"]}}\n{"a":true,"b":"ü"}')).toEqual([
      [1, [1.5, null]],
      [2, [undefined, { x: [1, 'y'] }]],
      [3, [true, 'ü']],
    ]);
  });

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['0.1234567890123456789', '0.1234567890123456789'],
    ['123456789012345678901234567890e-10', '123456789012345678901234567890e-10'],
    ['9007199254740992', 9007199254740992],
    ['1.50000000000000000', 1.5],
    ['100000000000000000000', 100000000000000000000],
    ['0.30000000000000004', 0.30000000000000004],
    ['-0.00000000000000000000', -0],
    ['1e400', Infinity],
  ])('the number %s loses no digit', async (text, expected) => {
    expect(await line(`{"a":${text},"b":[${text}]}`)).toEqual([1, [expected, [expected]]]);
  });

  test('names that every object inherits are not in it', async () => {
    expect(await read('{"a":1}\n', ['constructor', 'toString', '__proto__', 'a'])).toEqual([
      [1, [undefined, undefined, undefined, 1]],
    ]);
    expect(await read('{"__proto__":{"a":1}}\n', ['a', '__proto__'])).toEqual([[1, [undefined, { a: 1 }]]]);
  });

  test('members that no field asks for are told once', async () => {
    const extra: string[][] = [];
    await itemsOf(source('{"a":1,"x":2,"y":3}\n{"a":1,"z":2}\n', extra), ['a']);
    expect(extra).toEqual([['x', 'y']]);
  });
});

describe('bad lines are items, and the lines around them arrive', () => {
  const nested = `${'['.repeat(100)}${']'.repeat(100)}`;
  test.each<[string, string | Uint8Array, string]>([
    ['NaN', '{"a":NaN}', 'ROW_MALFORMED'],
    ['Infinity', '{"a":-Infinity}', 'ROW_MALFORMED'],
    ['cut off', '{"a":1', 'ROW_MALFORMED'],
    ['two objects', '{"a":1}{"a":2}', 'ROW_MALFORMED'],
    ['an array', '[1,2]', 'ROW_MALFORMED'],
    ['a number', '5', 'ROW_MALFORMED'],
    ['null', 'null', 'ROW_MALFORMED'],
    ['one name twice', '{"a":1,"b":2,"a":3}', 'ROW_MALFORMED'],
    ['one name twice, spelled differently', String.raw`{"a":1,"\u0061":3}`, 'ROW_MALFORMED'],
    ['nested too deep', `{"a":${nested}}`, 'ROW_MALFORMED'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'ENCODING_INVALID'],
    ['too large', `{"a":"${'x'.repeat(LIMIT)}"}`, 'ROW_TOO_LARGE'],
  ])('%s', async (_name, bad, code) => {
    const content = Buffer.concat([Buffer.from('{"a":1}\n'), Buffer.from(bad as string), Buffer.from('\n{"a":2}\n')]);
    expect(await read(content, ['a'])).toEqual([
      [1, [1]],
      [2, code],
      [3, [2]],
    ]);
  });

  test('the detail holds no value', async () => {
    const [item] = onlyMalformed(await itemsOf(source('{"a":SECRET}\n'), ['a']));
    expect(item?.detail).toBe('not JSON');
  });

  test('an empty file is refused', async () => {
    await expect(itemsOf(source(''), ['a'])).rejects.toMatchObject({ code: 'SOURCE_EMPTY' });
  });
});

test('an object that JSON.stringify wrote reads back as it was', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (object) => {
      const parsed = parseObject(JSON.stringify(object));
      expect(parsed.ok && JSON.stringify(parsed.object)).toBe(JSON.stringify(object));
    }),
  );
});
