import { hash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { sealForDay, sealForSubject } from '../../security/sealed-field/dead-letter.ts';
import { testDataKey } from '../../test/support/data-key.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { CONTENT_LIMIT_BYTES, contentBytes, placeOf, type DeadLetterContent } from './letter.ts';
import type { ClosedLetter } from './list.ts';
import { openLetter, type LetterKeys } from './open.ts';

const DAY = '2024-03-01';
const SUBJECT = 'home-0001';
const contract = { id: 'smart-home' } as CompiledContract;
const dataKey = testDataKey({ classification: 'restricted', subject: SUBJECT });
let day: { readonly publicKey: JWK; readonly privateKey: JWK };

beforeAll(async () => {
  const pair = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
  const [publicKey, privateKey] = await Promise.all([exportJWK(pair.publicKey), exportJWK(pair.privateKey)]);
  day = { publicKey: { ...publicKey, kid: DAY }, privateKey: { ...privateKey, kid: DAY } };
});

const keys: LetterKeys = {
  dayKeys: {
    deadLetterPrivateKey(named) {
      if (named === DAY) return day.privateKey;
      throw new WardlineError('KEY_NOT_FOUND', `no key of ${named}`);
    },
  },
  subjectKeys: {
    byKid(place, kid) {
      if (kid === dataKey.kid && place.subject === SUBJECT) return Promise.resolve(dataKey);
      throw new WardlineError('KEY_NOT_FOUND', `no key ${kid}`);
    },
  },
};

const open = {
  id: '0-0',
  time: '2024-03-01T00:00:00.000Z',
  code: 'VALUE_OUT_OF_RANGE',
  stage: 'check',
  property: 'use_kw',
  detail: 'below 0',
  position: 'readings.csv:17',
  contractVersion: '1.0.0',
  writeTimestamp: '1709251200000000',
} as const;

/** A letter as it stands on the topic: under its subject's key where there is one, else to the day's. */
async function closed(content: DeadLetterContent, subject: string | undefined): Promise<ClosedLetter> {
  const place = placeOf(contract.id, open);
  const bytes = contentBytes(content);
  const sealed =
    subject === undefined
      ? await sealForDay(day.publicKey, bytes, place)
      : sealForSubject(dataKey, bytes, place, randomBytes);
  return { ...open, subject, sealed };
}

const record = (values: readonly string[]): DeadLetterContent => ({
  kind: 'record',
  fields: values.map((_, index) => `field ${index}`),
  values,
});

describe.each([
  ['of a known subject', SUBJECT],
  ['of no known subject', undefined],
])('a dead letter %s', (_, subject) => {
  it('opens to what was sealed, of whatever length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), async (values) => {
        expect(await openLetter(await closed(record(values), subject), contract, keys)).toEqual(record(values));
      }),
      { numRuns: 50 },
    );
  });

  it('does not open once what it says in clear was changed', async () => {
    const letter = await closed(record(['a']), subject);
    for (const change of [{ code: 'MAC_INVALID' }, { position: 'readings.csv:18' }, { writeTimestamp: '0' }]) {
      const changed = { ...letter, ...change };
      expect(await codeOfAsync(() => openLetter(changed, contract, keys))).toBe('SEALED_FIELD_MISPLACED');
    }
    const elsewhere = { id: 'other' } as CompiledContract;
    expect(await codeOfAsync(() => openLetter(letter, elsewhere, keys))).not.toBe('no error');
  });

  it('holds head, length and hash of what is too large to keep', async () => {
    const content = record(['x'.repeat(CONTENT_LIMIT_BYTES)]);
    const whole = Buffer.from(JSON.stringify(content));
    const opened = await openLetter(await closed(content, subject), contract, keys);
    if (opened.kind !== 'input') throw new Error(`a ${opened.kind} was kept whole`);
    expect(opened).toMatchObject({ totalBytes: whole.length, sha256: hash('sha256', whole) });
    const head = Buffer.from(opened.bytes, 'base64');
    expect(head.equals(whole.subarray(0, head.length))).toBe(true);
  });
});

describe('a dead letter whose key is gone', () => {
  it('says so', async () => {
    const letter = await closed(record(['a']), SUBJECT);
    const erased: LetterKeys = {
      ...keys,
      subjectKeys: {
        byKid: () => Promise.reject(new WardlineError('KEY_DESTROYED', 'the keys are destroyed')),
      },
    };
    expect(await codeOfAsync(() => openLetter(letter, contract, erased))).toBe('KEY_DESTROYED');
    const late = await closed(record(['a']), undefined);
    const retired: LetterKeys = {
      ...keys,
      dayKeys: {
        deadLetterPrivateKey: () => {
          throw new WardlineError('KEY_NOT_FOUND', 'the day is over');
        },
      },
    };
    expect(await codeOfAsync(() => openLetter(late, contract, retired))).toBe('KEY_NOT_FOUND');
  });
});
