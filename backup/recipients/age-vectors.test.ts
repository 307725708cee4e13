import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { describe, expect, it } from 'vitest';
import { asWardlineError, type ErrorCode } from '../../core/errors/errors.ts';
import { decryptWith } from './age-file.ts';

/**
 * The age test vectors of the Community Cryptography Test Vectors (c2sp.org/CCTV/age). Left out are those of what is never
 * used here: armour and passphrases.
 */
interface Vector {
  readonly expect: string;
  readonly payload: string;
  readonly identities: readonly string[];
  readonly file: Buffer;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  'no match': 'IDENTITY_WRONG',
  'HMAC failure': 'OBJECT_DAMAGED',
  'header failure': 'OBJECT_DAMAGED',
  'payload failure': 'OBJECT_DAMAGED',
};

function parsed(bytes: Uint8Array): Vector | undefined {
  const end = Buffer.from(bytes).indexOf('\n\n');
  const lines = Buffer.from(bytes.subarray(0, end)).toString('utf8').split('\n');
  const valuesOf = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  if (valuesOf('armored').length > 0 || valuesOf('passphrase').length > 0) return undefined;
  const body = Buffer.from(bytes.subarray(end + 2));
  return {
    expect: valuesOf('expect')[0] ?? '',
    payload: valuesOf('payload')[0] ?? '',
    identities: valuesOf('identity'),
    file: valuesOf('compressed')[0] === 'zlib' ? inflateSync(body) : body,
  };
}

const cases = Object.entries(vectors).flatMap(([name, bytes]) => {
  const vector = parsed(bytes);
  return vector === undefined ? [] : [{ name, ...vector }];
});

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

describe('the age test vectors', () => {
  it('are there', () => {
    expect(cases.length).toBeGreaterThan(70);
    expect(new Set(cases.map((vector) => vector.expect))).toEqual(new Set(['success', ...Object.keys(CODES)]));
  });

  it.each(cases)('$name: $expect', async ({ expect: expected, payload, identities, file }) => {
    const digest = createHash('sha256');
    let code: ErrorCode | undefined;
    try {
      for await (const part of decryptWith(identities, only(file))) digest.update(part);
    } catch (error) {
      code = asWardlineError(error).code;
    }
    expect(code).toBe(CODES[expected]);
    // Of a payload that fails, ours yields less than the vectors allow: no chunk whose successor does not fit what it says.
    if (code === undefined) expect(digest.digest('hex')).toBe(payload);
  });
});
