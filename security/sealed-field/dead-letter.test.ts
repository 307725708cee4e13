import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { testDataKey } from '../../test/support/data-key.ts';
import { codeOf, codeOfAsync } from '../../test/support/failure.ts';
import { placeContext, textOfContext } from './context.ts';
import { dayOfDeadLetter, openForDay, openForSubject, sealForDay, sealForSubject } from './dead-letter.ts';

const place = ['smart-home', 'VALUE_MISSING', 'file.csv', '17'];
const payload = Buffer.from('{"key":"home-0001","value":"…"}');

describe('a dead letter of a known subject', () => {
  const dataKey = testDataKey({ classification: 'restricted' });
  const sealed = sealForSubject(dataKey, payload, place, randomBytes);

  it('opens with jose and the key alone', async () => {
    const opened = await compactDecrypt(sealed, new Uint8Array(dataKey.key));
    expect(Buffer.from(opened.plaintext)).toEqual(payload);
    expect(opened.protectedHeader).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: dataKey.kid,
      ctx: textOfContext(placeContext(place)),
    });
  });

  it('comes back as it was, byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const text = sealForSubject(dataKey, bytes, place, randomBytes);
        expect(openForSubject(text, dataKey, dataKey, place)).toEqual(Buffer.from(bytes));
      }),
    );
    const large = randomBytes(1_000_000);
    const text = sealForSubject(dataKey, large, place, randomBytes);
    expect(openForSubject(text, dataKey, dataKey, place).equals(large)).toBe(true);
  });

  it('opens at its own place and for its own subject only', () => {
    const open = (at: string[], subject = dataKey.subject) =>
      codeOf(() => openForSubject(sealed, dataKey, { ...dataKey, subject }, at));
    expect(open(place)).toBe('no error');
    expect(open(['smart-home', 'ROW_MALFORMED', 'file.csv', '17'])).toBe('SEALED_FIELD_MISPLACED');
    expect(open(place, 'home-0002')).toBe('KEY_MISMATCH');
  });

  it('is sealed under the class restricted only', () => {
    expect(codeOf(() => sealForSubject(testDataKey(), payload, place, randomBytes))).toBe('KEY_MISMATCH');
  });
});

describe('a dead letter of no known subject', () => {
  let privateKey: JWK;
  let publicKey: JWK;
  let other: JWK;
  beforeAll(async () => {
    const [pair, another] = await Promise.all([fresh(), fresh()]);
    privateKey = { ...(await exportJWK(pair.privateKey)), kid: '2026-03-01' };
    publicKey = { ...(await exportJWK(pair.publicKey)), kid: '2026-03-01' };
    other = { ...(await exportJWK(another.privateKey)), kid: '2026-03-01' };
  });

  it('opens with jose and the private key of the day', async () => {
    const sealed = await sealForDay(publicKey, payload, place);
    const opened = await compactDecrypt(sealed, await importJWK(privateKey, 'ECDH-ES'));
    expect(Buffer.from(opened.plaintext)).toEqual(payload);
    expect(opened.protectedHeader.kid).toBe('2026-03-01');
    expect(dayOfDeadLetter(sealed)).toBe('2026-03-01');
  });

  it('comes back as it was, also at a megabyte, and also from jose', async () => {
    const large = randomBytes(1_000_000);
    expect((await openForDay(await sealForDay(publicKey, large, place), privateKey, place)).equals(large)).toBe(true);
    const byJose = await new CompactEncrypt(payload)
      .setProtectedHeader({
        alg: 'ECDH-ES',
        enc: 'A256GCM',
        kid: '2026-03-01',
        ctx: textOfContext(placeContext(place)),
      })
      .encrypt(publicKey);
    expect(await openForDay(byJose, privateKey, place)).toEqual(payload);
  });

  it('opens with the right key, at its own place, only', async () => {
    const sealed = await sealForDay(publicKey, payload, place);
    expect(await codeOfAsync(() => openForDay(sealed, other, place))).toBe('SEALED_FIELD_ALTERED');
    expect(await codeOfAsync(() => openForDay(sealed, { ...privateKey, kid: '2026-03-02' }, place))).toBe(
      'KEY_MISMATCH',
    );
    expect(await codeOfAsync(() => openForDay(sealed, privateKey, ['elsewhere']))).toBe('SEALED_FIELD_MISPLACED');
  });

  it('refuses every change of one bit', async () => {
    const bytes = Buffer.from(await sealForDay(publicKey, payload, place), 'latin1');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await codeOfAsync(() => openForDay(changed.toString('latin1'), privateKey, place))).toMatch(
          /^(SEALED_FIELD_(MALFORMED|MISPLACED|ALTERED)|KEY_MISMATCH)$/,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

function fresh(): ReturnType<typeof generateKeyPair> {
  return generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
}
