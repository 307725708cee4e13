import { describe, expect, it } from 'vitest';
import { holdsSecret, isSecretName } from './secrets.ts';

describe('secret names', () => {
  it.each([
    'password',
    'Kafka-Password',
    'keystore_passphrase',
    'keyStorePassphrase',
    'Authorization',
    'access_token',
    'clientSecret',
    'key',
    'privateKey',
    'signing_key',
    'DEK',
    'credentials',
  ])('%s is one', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['passwordFile', 'keys', 'key_ids', 'keyspace', 'partitionKey', 'principal', 'tokenizer', 'records'])(
    '%s is none',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );
});

describe('holdsSecret', () => {
  it('finds a secret at any depth, by name, by text and by form', () => {
    expect(holdsSecret({ a: [{ b: { sasl: [{ password: 'x' }] } }] })).toBe(true);
    expect(holdsSecret(['-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4'])).toBe(true);
    expect(holdsSecret({ found: [{ kty: 'oct' }] })).toBe(true);
    expect(holdsSecret({ keys: { count: 2, ids: ['a', 'b'] }, ranges: [{ partition: 0 }] })).toBe(false);
  });

  it('takes what is nested too deep to search for one', () => {
    let value: unknown = 'x';
    for (let level = 0; level < 50; level += 1) value = { value };
    expect(holdsSecret(value)).toBe(true);
  });
});
