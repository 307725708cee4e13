import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WardlineError, asWardlineError } from '../../core/errors/errors.ts';
import { MASK, redactError, redactRecord, redactSecrets } from './redaction.ts';

const MARKER = 'marker-8c1f';

describe('redactSecrets', () => {
  it('masks a secret wherever it stands and leaves the rest', () => {
    expect(redactSecrets({ a: 1, b: [{ kafka: { password: MARKER } }], c: { kty: 'oct', k: MARKER } })).toEqual({
      a: 1,
      b: [{ kafka: { password: MASK } }],
      c: MASK,
    });
    expect(redactSecrets('-----BEGIN PRIVATE KEY-----')).toBe(MASK);
    expect(redactSecrets({ raw: Buffer.from(MARKER), id: 2n ** 60n })).toEqual({
      raw: '11 bytes',
      id: String(2n ** 60n),
    });
  });

  it('leaves no secret in any nesting, and does not change what it was given', () => {
    const nested = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.record({ password: fc.constant(MARKER), n: fc.integer() }),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.record({ inner: tie('node') }),
      ),
    })).node;
    fc.assert(
      fc.property(nested, (value) => {
        const before = JSON.stringify(value);
        expect(JSON.stringify(redactSecrets(value))).not.toContain(MARKER);
        expect(JSON.stringify(value)).toBe(before);
      }),
    );
  });

  it('survives a ring', () => {
    const ring: Record<string, unknown> = {};
    ring['again'] = ring;
    expect(JSON.stringify(redactSecrets(ring))).toContain(MASK);
  });
});

describe('redactError', () => {
  it('keeps message and hint of ours, and only class, code and frames of a foreign one', () => {
    const foreign = Object.assign(new SyntaxError(`unexpected ${MARKER}`), { code: 'E_PARSE' });
    const ours = redactError(new WardlineError('KAFKA_UNREACHABLE', 'no broker', { hint: 'start it', cause: foreign }));
    expect(ours).toMatchObject({ code: 'KAFKA_UNREACHABLE', message: 'no broker', hint: 'start it' });
    expect(ours['cause']).toMatchObject({ type: 'SyntaxError', code: 'E_PARSE' });
    expect(JSON.stringify(ours)).not.toContain(MARKER);
    expect(redactError(foreign)['frames']).not.toEqual([]);
  });

  it('does not let a foreign message out because it was wrapped', () => {
    const wrapped = asWardlineError(new Error(`cannot read ${MARKER}`));
    expect(JSON.stringify(redactError(wrapped))).not.toContain(MARKER);
  });
});

describe('redactRecord', () => {
  const mask = redactRecord([
    { name: 'home_id', classification: 'internal' },
    { name: 'temperature', classification: 'public' },
    { name: 'kitchen_kw', classification: 'personal' },
    { name: 'diagnosis', classification: 'restricted' },
  ]);

  it('shows what is public or internal, and nothing else', () => {
    expect(mask({ home_id: 'h1', temperature: 3, kitchen_kw: 0.5, diagnosis: null, unheard_of: 'x' })).toEqual({
      home_id: 'h1',
      temperature: 3,
      kitchen_kw: MASK,
      diagnosis: MASK,
      unheard_of: MASK,
    });
  });

  it('is not misled by names that every object has', () => {
    expect(mask({ constructor: MARKER, toString: MARKER })).toEqual({ constructor: MASK, toString: MASK });
  });
});
