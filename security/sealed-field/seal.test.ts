import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../core/record.ts';
import { testDataKey } from '../../test/support/data-key.ts';
import { codeOf } from '../../test/support/failure.ts';
import { wipe } from '../keyring/data-key.ts';
import { fieldContext, textOfContext } from './context.ts';
import { openSealedField } from './open.ts';
import { SEALS_PER_GENERATION, sealerFactory } from './seal.ts';

const context = fieldContext('smart-home', 'home_office_kw', ['home-0001', '2016-01-01', '2016-01-01T05:00:00.000Z']);
const createSealer = sealerFactory(randomBytes);
const value = fc.jsonValue() as fc.Arbitrary<JsonValue>;

describe('a sealer', () => {
  it('makes what jose opens with the key alone, padded to a multiple of 16 bytes', async () => {
    const dataKey = testDataKey();
    const sealer = createSealer(dataKey);
    await fc.assert(
      fc.asyncProperty(value, async (clear) => {
        const opened = await compactDecrypt(sealer.seal(context, JSON.stringify(clear)), new Uint8Array(dataKey.key));
        expect(JSON.stringify(opened.protectedHeader)).toBe(
          JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: dataKey.kid, ctx: textOfContext(context) }),
        );
        expect(opened.plaintext.length % 16).toBe(0);
        expect(new TextDecoder().decode(opened.plaintext).trimEnd()).toBe(JSON.stringify(clear));
      }),
    );
  });

  it('makes what we open to the same value', () => {
    const dataKey = testDataKey();
    const sealer = createSealer(dataKey);
    fc.assert(
      fc.property(value, (clear) => {
        const opened = openSealedField(sealer.seal(context, JSON.stringify(clear)), dataKey, { ...dataKey, context });
        expect(JSON.stringify(opened)).toBe(JSON.stringify(clear));
      }),
    );
  });

  it('seals a value far larger than its scratch buffer', () => {
    const dataKey = testDataKey();
    const clear = 'é'.repeat(300_000);
    const sealed = createSealer(dataKey).seal(context, JSON.stringify(clear));
    expect(openSealedField(sealed, dataKey, { ...dataKey, context })).toBe(clear);
  });

  it('never uses an initialization vector twice, across draws and sealers', () => {
    const sealers = [createSealer(testDataKey()), createSealer(testDataKey())];
    const vectors = Array.from({ length: 5000 }, (_, i) => sealers[i % 2]?.seal(context, '1').split('.')[2]);
    expect(new Set(vectors).size).toBe(5000);
  });

  it('counts its seals and refuses after the last one', () => {
    const sealer = createSealer(testDataKey());
    sealer.seal(context, '1');
    expect(sealer.sealsLeft).toBe(SEALS_PER_GENERATION - 1);
    expect(SEALS_PER_GENERATION).toBe(268_435_456);
    const small = sealerFactory(randomBytes, 2)(testDataKey());
    small.seal(context, '1');
    small.seal(context, '1');
    expect(codeOf(() => small.seal(context, '1'))).toBe('KEY_EXHAUSTED');
  });

  it('seals nothing more under a key that was wiped', () => {
    const dataKey = testDataKey();
    const sealer = createSealer(dataKey);
    sealer.seal(context, '1');
    wipe(dataKey);
    expect(sealer.wiped).toBe(true);
    expect(codeOf(() => sealer.seal(context, '1'))).toBe('KEY_DESTROYED');
    expect(codeOf(() => createSealer(dataKey))).toBe('KEY_DESTROYED');
  });

  it('opens what jose seals', async () => {
    const dataKey = testDataKey();
    const sealed = await new CompactEncrypt(Buffer.from('0.25            '))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: dataKey.kid, ctx: textOfContext(context) })
      .encrypt(new Uint8Array(dataKey.key));
    expect(openSealedField(sealed, dataKey, { ...dataKey, context })).toBe(0.25);
  });
});
