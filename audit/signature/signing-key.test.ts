import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { signingKey, thumbprint, trustedKeys } from './signing-key.ts';

const ed25519Pair = (): { privateKey: string; publicKey: string } =>
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  });

describe('signing keys', () => {
  it('have the thumbprint of RFC 8037 appendix A.3', () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    expect(thumbprint(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  it('are named by principal and the thumbprint that jose computes, the same for both halves', async () => {
    const { privateKey, publicKey } = ed25519Pair();
    const kid = `worker/${await calculateJwkThumbprint(await exportJWK(createPublicKey(publicKey)))}`;
    expect(signingKey('worker', privateKey).kid).toBe(kid);
    expect([...trustedKeys([{ principal: 'worker', publicKeyPem: publicKey }]).keys()]).toEqual([kid]);
  });

  it('are refused where they are no Ed25519 keys, without repeating what was given', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
      publicKeyEncoding: { format: 'pem', type: 'spki' },
    });
    for (const text of [privateKey, 'not a key at all']) {
      expect(() => signingKey('worker', text)).toThrow(expect.objectContaining({ code: 'CREDENTIAL_MISSING' }));
      expect(() => signingKey('worker', text)).not.toThrow(text.slice(30, 60) || text);
    }
  });
});
