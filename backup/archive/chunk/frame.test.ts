import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../test/support/failure.ts';
import { decodeFrames, encodeFrame } from './frame.ts';

const bytes = fc.option(
  fc.uint8Array({ maxLength: 40 }).map((some) => Buffer.from(some)),
  { nil: null },
);
const message = fc.record({
  partition: fc.nat(1000),
  offset: fc.maxSafeNat(),
  timestamp: fc.integer({ min: -1, max: 4_000_000_000_000 }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 8 }), bytes), { maxLength: 4 }),
});

/** Each member by hand, from what the decision page says of the format. */
const VECTOR = {
  message: {
    partition: 3,
    offset: 258,
    timestamp: 1_700_000_000_000,
    key: Buffer.from('k'),
    value: null,
    headers: [['code', Buffer.alloc(0)]] as const,
  },
  hex: [
    '00000003',
    '0000000000000102',
    '0000018bcfe56800',
    '00000001' + '6b',
    'ffffffff',
    '00000001',
    '00000004' + '636f6465',
    '00000000',
  ].join(''),
};

describe('messages of a chunk', () => {
  it('have the bytes that the format says', () => {
    expect(encodeFrame(VECTOR.message).toString('hex')).toBe(VECTOR.hex);
    expect(decodeFrames(Buffer.from(VECTOR.hex, 'hex'))).toEqual([VECTOR.message]);
  });

  it('come back as they were, null apart from empty, headers in their order', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        expect(decodeFrames(Buffer.concat(messages.map(encodeFrame)))).toEqual(messages);
      }),
    );
  });

  it('are refused where they are cut off anywhere', () => {
    const frame = encodeFrame(VECTOR.message);
    for (let length = 1; length < frame.length; length += 1)
      expect(codeOf(() => decodeFrames(frame.subarray(0, length)))).toBe('OBJECT_DAMAGED');
  });

  it('are refused where a length is none', () => {
    const frame = encodeFrame(VECTOR.message);
    frame.writeInt32BE(-2, 20);
    expect(codeOf(() => decodeFrames(frame))).toBe('OBJECT_DAMAGED');
  });
});
