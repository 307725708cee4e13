import { createHmac, createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../../core/encoding/length-prefixed.ts';
import { createMac, digestOfLaidOut, hmacSha256, recordDigest } from './record.ts';
import vectors from './vectors.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** RFC 4231 sections 4.2 to 4.8; case 5, of a truncated output, does not occur here. */
const RFC_4231 = [
  ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [
    'aa'.repeat(131),
    '54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
] as const;

describe('HMAC-SHA-256 by two hashes', () => {
  it.each(RFC_4231)('fits RFC 4231: key %s', (key, text, mac) => {
    expect(hmacSha256(hex(key), hex(text)).toString('hex')).toBe(mac);
  });

  it('is the one of node:crypto', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 300 }), (key, text) => {
        expect(hmacSha256(key, text)).toEqual(createHmac('sha256', key).update(text).digest());
      }),
    );
  });
});

describe('digest and MAC of a record', () => {
  it.each(vectors.records)('are the written-down ones', (vector) => {
    const digest = recordDigest(Buffer.from(vector.messageKey), Buffer.from(vector.value));
    expect(digest.toString('hex')).toBe(vector.digest);
    const mac = createMac(hex(vector.integrityKey), vector.contract, vector.version);
    expect(mac.mac(digest, BigInt(vector.writeTimestamp))).toBe(hex(vector.mac).toString('base64url'));
  });

  it('are the same for a value too large to copy', () => {
    const [key, value] = [Buffer.from('k'), randomBytes(200_000)];
    expect(recordDigest(key, value)).toEqual(
      createHash('sha256')
        .update(lengthPrefixed([key, value]))
        .digest(),
    );
  });

  it('are the same for a record that is already laid out', () => {
    const [key, value] = [Buffer.from('k'), randomBytes(2000)];
    expect(digestOfLaidOut(lengthPrefixed([key, value]))).toEqual(recordDigest(key, value));
  });

  it('fit node:crypto, for timestamps of any length one after another', () => {
    const key = randomBytes(32);
    const mac = createMac(key, 'smart-home', '1.0.0');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (timestamp) => {
        const digest = randomBytes(32);
        const text = lengthPrefixed([digest, 'smart-home', '1.0.0', timestamp.toString()]);
        expect(mac.mac(digest, timestamp)).toBe(createHmac('sha256', key).update(text).digest('base64url'));
      }),
    );
  });

  it('verify only what was authenticated', () => {
    const key = randomBytes(32);
    const mac = createMac(key, 'smart-home', '1.0.0');
    const digest = recordDigest(Buffer.from('k'), Buffer.from('v'));
    const given = Buffer.from(mac.mac(digest, 5n));
    const behind = Buffer.concat([Buffer.alloc(7), digest]);
    expect(mac.verify(behind, 5n, given, 7)).toBe(true);
    expect(mac.verify(behind, 5n, given, 6)).toBe(false);
    expect(mac.verify(digest, 5n, given)).toBe(true);
    expect(mac.verify(digest, 6n, given)).toBe(false);
    expect(mac.verify(recordDigest(Buffer.from('kv'), Buffer.from('')), 5n, given)).toBe(false);
    expect(mac.verify(digest, 5n, given.subarray(0, 16))).toBe(false);
    expect(createMac(key, 'smart-home', '1.0.1').verify(digest, 5n, given)).toBe(false);
    expect(createMac(key, 'smart-hom', 'e1.0.0').verify(digest, 5n, given)).toBe(false);
    expect(createMac(randomBytes(32), 'smart-home', '1.0.0').verify(digest, 5n, given)).toBe(false);
  });
});
