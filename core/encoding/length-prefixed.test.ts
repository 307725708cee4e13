import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from './length-prefixed.ts';

const part = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array());

function taken(joined: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < joined.length;) {
    const end = at + 4 + joined.readUInt32BE(at);
    parts.push(joined.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

const bytesOf = (value: string | Uint8Array): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);

describe('length-prefixed texts', () => {
  it('count bytes, not characters', () => {
    expect(lengthPrefixed(['Zoë', '🏠', '']).toString('hex')).toBe('000000045a6fc3ab00000004f09f8fa000000000');
  });

  it('are empty for no parts, and not for one empty part', () => {
    expect(lengthPrefixed([]).length).toBe(0);
    expect(lengthPrefixed(['']).toString('hex')).toBe('00000000');
  });

  it('tell apart what plain joining would confuse', () => {
    expect(lengthPrefixed(['ab', 'c'])).not.toEqual(lengthPrefixed(['a', 'bc']));
    expect(lengthPrefixed(['a', ''])).not.toEqual(lengthPrefixed(['', 'a']));
  });

  it('can be taken apart into the same parts, so no two lists share their bytes', () => {
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        expect(taken(lengthPrefixed(parts))).toEqual(parts.map(bytesOf));
      }),
    );
  });

  it('take bytes and the text of the same bytes for the same', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(lengthPrefixed([Buffer.from(text)])).toEqual(lengthPrefixed([text]));
      }),
    );
  });
});
