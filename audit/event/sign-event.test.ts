import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import type { EventStatement } from './event.ts';
import { createEventSigner, EVENT_TYPE, MAXIMUM_EVENT_BYTES } from './sign-event.ts';
import { signingKey, trustedKeys } from '../signature/signing-key.ts';
import { signJws } from '../signature/jws.ts';
import { verifyEvent } from './verify-event.ts';

const ed25519Pair = (): { privateKey: string; publicKey: string } =>
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  });
const worker = ed25519Pair();
const reader = ed25519Pair();
const keys = trustedKeys([
  { principal: 'worker', publicKeyPem: worker.publicKey },
  { principal: 'reader', publicKeyPem: reader.publicKey },
]);
const author = {
  principal: 'worker',
  host: 'h1',
  install: 'i1',
  clock: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) },
};
const sign = createEventSigner({ ...author, signingKeyPem: worker.privateKey });

const statement: EventStatement = {
  action: 'stage.store',
  object: { type: 'topic', id: 'readings' },
  outcome: 'success',
  counts: { records: 10_000, dead_letters: 0 },
  contract: { id: 'smart-home', version: '1.0.0', hash: 'ab'.repeat(32) },
  traceId: '0af7651916cd43dd8448eb211c80319c',
  details: { ranges: [{ partition: 0, from: '1', to: '9' }], note: 'zwölf — 十二' },
  identity: ['readings', '0', '1-9', '1'],
};
const unverified = expect.objectContaining({ code: 'AUDIT_EVENT_UNVERIFIED' }) as Error;
const invalid = expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }) as Error;

describe('a signed event', () => {
  it('is a JWS that jose verifies, its payload canonical JSON', async () => {
    const { payload, protectedHeader } = await compactVerify(sign(statement), createPublicKey(worker.publicKey));
    expect(protectedHeader).toEqual({
      alg: 'EdDSA',
      kid: signingKey('worker', worker.privateKey).kid,
      typ: EVENT_TYPE,
    });
    expect(Buffer.from(payload).toString('utf8')).toBe(
      '{"action":"stage.store","actor":{"host":"h1","principal":"worker"},"contract":{"hash":"' +
        'ab'.repeat(32) +
        '","id":"smart-home","version":"1.0.0"},"counts":{"dead_letters":0,"records":10000},"details":{"note":"zwölf — 十二",' +
        '"ranges":[{"from":"1","partition":0,"to":"9"}]},"id":"' +
        verifyEvent(sign(statement), keys).id +
        '","install":"i1","object":{"id":"readings","type":"topic"},"outcome":"success",' +
        '"time":"2026-01-02T03:04:05.006Z","trace_id":"0af7651916cd43dd8448eb211c80319c"}',
    );
  });

  it('verifies to what was stated', () => {
    const { actor, counts, details } = verifyEvent(sign(statement), keys);
    expect({ actor, counts, details }).toEqual({
      actor: { principal: 'worker', host: 'h1' },
      counts: statement.counts,
      details: statement.details,
    });
  });

  it('has the same id for the same identity, another for another, and a random one without', () => {
    const id = (changed: Partial<EventStatement>): string => verifyEvent(sign({ ...statement, ...changed }), keys).id;
    expect(id({})).toBe(id({ outcome: 'failure' }));
    expect(id({})).not.toBe(id({ identity: ['readings', '0', '1-9', '2'] }));
    expect(id({})).not.toBe(id({ identity: ['readings', '0', '1-91'] }));
    expect(id({})).not.toBe(id({ action: 'stage.transform' }));
    expect(id({ identity: undefined })).not.toBe(id({ identity: undefined }));
  });

  it('has the time of what it states where that is told, and so the same bytes whenever it is made', () => {
    const earlier = { ...statement, time: Date.UTC(2025, 5, 1) };
    const later = createEventSigner({ ...author, signingKeyPem: worker.privateKey, clock: { now: () => 0 } });
    expect(verifyEvent(sign(earlier), keys).time).toBe('2025-06-01T00:00:00.000Z');
    expect(later(earlier)).toEqual(sign(earlier));
    expect(() => sign({ ...statement, time: Number.NaN })).toThrow(invalid);
  });

  it('does not verify after any byte was changed', () => {
    const bytes = sign(statement);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const changed = Buffer.from(bytes);
        changed[place] = (changed[place] ?? 0) ^ change;
        expect(() => verifyEvent(changed, keys)).toThrow(unverified);
      }),
    );
  });

  it('does not verify with a key that is not trusted, or where another principal signed it', () => {
    expect(() => verifyEvent(sign(statement), new Map())).toThrow(unverified);
    const forged = createEventSigner({ ...author, signingKeyPem: reader.privateKey });
    expect(() => verifyEvent(forged(statement), keys)).toThrow(unverified);
    const payload = verifyEvent(sign(statement), keys);
    const bySomebodyElse = signJws(canonicalJson(payload), signingKey('reader', reader.privateKey), EVENT_TYPE);
    expect(() => verifyEvent(Buffer.from(bySomebodyElse), keys)).toThrow(
      'worker is named as its actor, but reader signed it',
    );
  });

  it('does not verify as another type of document, in another JSON form, or with members of its own', () => {
    const key = signingKey('worker', worker.privateKey);
    const text = canonicalJson(verifyEvent(sign(statement), keys));
    const accepts = (payload: string, type: string): (() => unknown) => {
      return () => verifyEvent(Buffer.from(signJws(payload, key, type)), keys);
    };
    expect(accepts(text, EVENT_TYPE)).not.toThrow();
    expect(accepts(text, 'JWT')).toThrow(unverified);
    expect(accepts(text.replace(':', ': '), EVENT_TYPE)).toThrow('not canonical');
    expect(accepts(text.replace('{"action"', '{"aa":1,"action"'), EVENT_TYPE)).toThrow(unverified);
    expect(accepts('[]', EVENT_TYPE)).toThrow(unverified);
  });
});

describe('a statement', () => {
  it.each([
    ['an unknown action', { action: 'stage.guess' as EventStatement['action'] }],
    ['a negative count', { counts: { records: -1 } }],
    ['a secret by name', { details: { kafka: { sasl_password: 'x' } } }],
    ['a private key', { details: { note: ['-----BEGIN PRIVATE KEY-----'] } }],
    ['a key in JWK form', { details: { found: { kty: 'oct', k: 'AAAA' } } }],
    ['a number that is not finite', { details: { ratio: Number.NaN } }],
    ['a lone surrogate', { details: { note: '\ud800' } }],
    ['a trace id of another form', { traceId: '00' }],
  ])('with %s is refused', (_, changed) => {
    expect(() => sign({ ...statement, ...changed })).toThrow(invalid);
  });

  it('that is too large is refused', () => {
    expect(() => sign({ ...statement, details: { note: 'x'.repeat(MAXIMUM_EVENT_BYTES) } })).toThrow(invalid);
    expect(() => sign({ ...statement, details: { note: 'x'.repeat(MAXIMUM_EVENT_BYTES / 2) } })).not.toThrow();
  });
});
