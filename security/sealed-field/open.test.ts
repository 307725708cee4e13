import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CompactEncrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import { testDataKey } from '../../test/support/data-key.ts';
import { codeOf } from '../../test/support/failure.ts';
import { keyMemory, wipe } from '../keyring/data-key.ts';
import { fieldContext, textOfContext } from './context.ts';
import { sealedFieldFaults } from './fault.ts';
import { openSealedField } from './open.ts';
import { sealerFactory } from './seal.ts';
import vectors from './vectors.json' with { type: 'json' };

const context = fieldContext('smart-home', 'kitchen12_kw', ['home-0001', '2016-01-01']);
const elsewhere = fieldContext('smart-home', 'kitchen14_kw', ['home-0001', '2016-01-01']);
const dataKey = testDataKey();
const place = { contract: 'smart-home', subject: 'home-0001', classification: 'personal', context } as const;
const sealed = sealerFactory(randomBytes)(dataKey).seal(context, '0.4341');
const [header = '', , iv = '', ciphertext = '', tag = ''] = sealed.split('.');
const encode = (text: string): string => Buffer.from(text).toString('base64url');
const clearHeader = Buffer.from(header, 'base64url').toString();

/** Texts that are not a sealed field, whatever key one holds. */
const sealedFieldFault = sealedFieldFaults();

const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a clear value', '0.4341'],
  ['four parts', `${header}..${iv}.${ciphertext}`],
  ['six parts', `${sealed}.`],
  ['an encrypted key', `${header}.AAAA.${iv}.${ciphertext}.${tag}`],
  ['a vector of 16 bytes', `${header}..${'A'.repeat(22)}.${ciphertext}.${tag}`],
  ['a short tag', `${header}..${iv}.${ciphertext}.${tag.slice(0, 16)}`],
  ['no ciphertext', `${header}..${iv}..${tag}`],
  ['a ciphertext of 15 bytes', `${header}..${iv}.${'A'.repeat(20)}.${tag}`],
  ['a ciphertext of no length that base64url has', `${header}..${iv}.${'A'.repeat(21)}.${tag}`],
  ['padded base64url', `${header}..${iv}.${ciphertext}==.${tag}`],
  ['unused bits that are set', `${header}..${iv}.${ciphertext.slice(0, -1)}B.${tag}`],
  ['base64 of the other alphabet', `${header}..${iv}.${'+'.repeat(ciphertext.length)}.${tag}`],
  ['a line break at the end', `${sealed}\n`],
  ['a header that is not JSON', `${encode('{')}..${iv}.${ciphertext}.${tag}`],
  ['a header that is no object', `${encode('"dir"')}..${iv}.${ciphertext}.${tag}`],
  ['white space in the header', `${encode(clearHeader.replace(',', ', '))}..${iv}.${ciphertext}.${tag}`],
  ['a member twice', `${encode(clearHeader.replace('{', '{"alg":"dir",'))}..${iv}.${ciphertext}.${tag}`],
  ['a member more', `${encode(clearHeader.replace('}', ',"zip":"DEF"}'))}..${iv}.${ciphertext}.${tag}`],
  ['another algorithm', `${encode(clearHeader.replace('A256GCM', 'A128GCM'))}..${iv}.${ciphertext}.${tag}`],
  [
    'a kid of another form',
    `${encode(clearHeader.replace(dataKey.kid, `${dataKey.kid.slice(1)}.`))}..${iv}.${ciphertext}.${tag}`,
  ],
];

describe('opening a sealed field', () => {
  it.each(vectors.sealed)('opens the written-down $jwe', ({ contextIndex, kid, k, value, jwe }) => {
    const of = vectors.contexts[contextIndex];
    const at = fieldContext(of?.contract ?? '', of?.property ?? '', of?.key ?? []);
    const key = testDataKey({ kid, key: keyMemory(Buffer.from(k, 'base64url')) });
    expect(openSealedField(jwe, key, { ...key, context: at })).toEqual(value);
    expect(sealedFieldFault(jwe, at)).toBeUndefined();
  });

  it.each(MALFORMED)('refuses %s, with and without the key', (_, text) => {
    expect(codeOf(() => openSealedField(text, dataKey, place))).toBe('SEALED_FIELD_MALFORMED');
    expect(sealedFieldFault(text, context)).toBe('SEALED_FIELD_MALFORMED');
  });

  it('makes the checks in their order', () => {
    const open = (key = dataKey, at: Partial<typeof place> | object = {}) =>
      codeOf(() => openSealedField(sealed, key, { ...place, ...at }));
    expect(open(testDataKey())).toBe('KEY_MISMATCH');
    expect(open(dataKey, { contract: 'clinic' })).toBe('KEY_MISMATCH');
    expect(open(dataKey, { subject: 'home-0002' })).toBe('KEY_MISMATCH');
    expect(open(dataKey, { classification: 'restricted' })).toBe('KEY_MISMATCH');
    expect(open(dataKey, { context: elsewhere, subject: 'home-0002' })).toBe('KEY_MISMATCH');
    expect(open(dataKey, { context: elsewhere })).toBe('SEALED_FIELD_MISPLACED');
    expect(open({ ...dataKey, key: Buffer.alloc(32, 1) })).toBe('SEALED_FIELD_ALTERED');
    expect(open()).toBe('no error');
  });

  it('refuses a key that was wiped', () => {
    const gone = testDataKey({ kid: dataKey.kid });
    wipe(gone);
    expect(codeOf(() => openSealedField(sealed, gone, place))).toBe('KEY_DESTROYED');
  });

  it('refuses every change of one bit', () => {
    const bytes = Buffer.from(sealed, 'latin1');
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const code = codeOf(() => openSealedField(changed.toString('latin1'), dataKey, place));
        expect(code).toMatch(/^(SEALED_FIELD_(MALFORMED|MISPLACED|ALTERED)|KEY_MISMATCH)$/);
      }),
      { numRuns: 3000 },
    );
  });

  it('never shows what it opened, not even in an error', async () => {
    const notJson = await new CompactEncrypt(Buffer.from('marker-7Zq marker'.slice(0, 16)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: dataKey.kid, ctx: textOfContext(context) })
      .encrypt(new Uint8Array(dataKey.key));
    let thrown: unknown;
    try {
      openSealedField(notJson, dataKey, place);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(WardlineError);
    const error = thrown as WardlineError;
    expect(error.code).toBe('SEALED_FIELD_MALFORMED');
    expect(`${String(error)} ${String(error.cause)} ${error.stack ?? ''}`).not.toContain('marker');
  });
});

describe('the check without a key', () => {
  it('sees nothing wrong with a field in its place, whatever its length', () => {
    const sealer = sealerFactory(randomBytes)(dataKey);
    fc.assert(
      fc.property(fc.nat(300), (length) => {
        expect(sealedFieldFault(sealer.seal(context, JSON.stringify('x'.repeat(length))), context)).toBeUndefined();
      }),
    );
    expect(sealedFieldFault(sealer.seal(context, JSON.stringify('x'.repeat(1_000_000))), context)).toBeUndefined();
  });

  it('names a field that is bound to another place', () => {
    expect(sealedFieldFault(sealed, elsewhere)).toBe('SEALED_FIELD_MISPLACED');
  });

  it('takes the members of the header in any order', async () => {
    const other = await new CompactEncrypt(Buffer.alloc(16, '1'))
      .setProtectedHeader({ ctx: textOfContext(context), kid: dataKey.kid, enc: 'A256GCM', alg: 'dir' })
      .encrypt(new Uint8Array(dataKey.key));
    expect(sealedFieldFault(other, context)).toBeUndefined();
    expect(sealedFieldFault(other, elsewhere)).toBe('SEALED_FIELD_MISPLACED');
    expect(openSealedField(other, dataKey, place)).toBe(1111111111111111);
  });

  it.each([null, undefined, 0.4341, {}, []])('refuses what is not a text: %s', (value) => {
    expect(sealedFieldFault(value, context)).toBe('SEALED_FIELD_MALFORMED');
  });

  it('agrees with the strict parser on every changed text', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.string({ maxLength: 2 }), (at, text) => {
        const changed = sealed.slice(0, at) + text + sealed.slice(at + 1);
        const strict = codeOf(() => openSealedField(changed, dataKey, place)) === 'SEALED_FIELD_MALFORMED';
        expect(sealedFieldFault(changed, context) === 'SEALED_FIELD_MALFORMED').toBe(strict);
      }),
      { numRuns: 2000 },
    );
  });
});
