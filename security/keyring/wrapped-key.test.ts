import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { compactDecrypt, CompactEncrypt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { testDataKey } from '../../test/support/data-key.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { isWiped, wipe } from './data-key.ts';
import { kekOfWrappedKey, unwrapDataKey, wrapDataKey, type Kek } from './wrapped-key.ts';

const secret = randomBytes(32);
const dataKey = testDataKey({ subject: 'Zoë 🏠', generation: 3, createdAt: 1_700_000_000_123 });
let kek: Kek;
let wrapped: string;

async function importKek(kid: string, bytes: Uint8Array): Promise<Kek> {
  const raw = new Uint8Array(bytes);
  return { kid, key: await crypto.subtle.importKey('raw', raw, 'AES-KW', false, ['wrapKey', 'unwrapKey']) };
}

beforeAll(async () => {
  kek = await importKek('kek-1', secret);
  wrapped = await wrapDataKey(dataKey, kek);
});

describe('a wrapped key', () => {
  it('opens with jose and the KEK alone, and says what it is for', async () => {
    const opened = await compactDecrypt(wrapped, new Uint8Array(secret));
    expect(Buffer.from(opened.plaintext)).toEqual(Buffer.from(dataKey.key));
    expect(opened.protectedHeader).toEqual({
      alg: 'A256KW',
      enc: 'A256GCM',
      kid: 'kek-1',
      dek: dataKey.kid,
      contract: 'smart-home',
      subject: 'Zoë 🏠',
      class: 'personal',
      generation: 3,
      created: 1_700_000_000_123,
    });
    expect(kekOfWrappedKey(wrapped)).toBe('kek-1');
  });

  it('unwraps to the key that was wrapped, in memory that threads share', async () => {
    const unwrapped = await unwrapDataKey(wrapped, kek, dataKey);
    expect({ ...unwrapped, key: Buffer.from(unwrapped.key) }).toEqual({ ...dataKey, key: Buffer.from(dataKey.key) });
    const shared = new Uint8Array(structuredClone(unwrapped.key).buffer);
    wipe(unwrapped);
    expect(isWiped(unwrapped)).toBe(true);
    expect([...shared]).toEqual(Array(32).fill(0));
  });

  it.each([
    ['contract', { contract: 'clinic' }],
    ['subject', { subject: 'home-0002' }],
    ['class', { classification: 'restricted' }],
    ['generation', { generation: 4 }],
    ['kid', { kid: 'A'.repeat(24) }],
  ] as const)('is refused where another %s is expected', async (_, different) => {
    expect(await codeOfAsync(() => unwrapDataKey(wrapped, kek, { ...dataKey, ...different }))).toBe('KEY_MISMATCH');
  });

  it('is refused under another KEK, and where it holds no key of 256 bits', async () => {
    const other = await importKek('kek-1', randomBytes(32));
    expect(await codeOfAsync(() => unwrapDataKey(wrapped, other, dataKey))).toBe('KEY_MISMATCH');
    const { protectedHeader } = await compactDecrypt(wrapped, new Uint8Array(secret));
    const short = await new CompactEncrypt(randomBytes(16)).setProtectedHeader(protectedHeader).encrypt(kek.key);
    expect(await codeOfAsync(() => unwrapDataKey(short, kek, dataKey))).toBe('KEY_MISMATCH');
  });

  it('is refused after every change of one bit', async () => {
    const bytes = Buffer.from(wrapped, 'latin1');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await codeOfAsync(() => unwrapDataKey(changed.toString('latin1'), kek, dataKey))).toBe('KEY_MISMATCH');
      }),
      { numRuns: 1000 },
    );
  });

  it('is not taken for one where it is none', () => {
    expect(() => kekOfWrappedKey('')).toThrow(/no wrapped key/);
    expect(() => kekOfWrappedKey('a.b.c')).toThrow(/no wrapped key/);
  });
});
