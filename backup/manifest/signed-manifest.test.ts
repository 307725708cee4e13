import { generateKeyPairSync } from 'node:crypto';
import { compactVerify, importSPKI } from 'jose';
import { describe, expect, it } from 'vitest';
import { signJws } from '../../audit/signature/jws.ts';
import { signingKey, trustedKeys } from '../../audit/signature/signing-key.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { testSigner } from '../../test/support/backup/archive-writer.ts';
import { testManifest } from '../../test/support/backup/shelf.ts';
import { codeOf } from '../../test/support/failure.ts';
import { openManifest, signManifest } from './signed-manifest.ts';

const INSTALL = 'install-of-a-test';
const TYPE = 'wardline-manifest+jws';

describe('a manifest', () => {
  const { key, trusted } = testSigner();
  const manifest = testManifest(INSTALL, Date.UTC(2026, 10, 28), ['a'.repeat(64)]);
  const signed = signManifest(manifest, key);
  const open = (text: string) => openManifest(text, manifest.id, INSTALL, trusted);
  const signedOf = (document: object, type = TYPE) => signJws(canonicalJson(document as never), key, type);

  it('opens as it was signed', () => {
    expect(open(signed)).toEqual(manifest);
  });

  it('has a signature that jose verifies alone', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = (of: typeof privateKey, type: 'pkcs8' | 'spki') => of.export({ format: 'pem', type }).toString();
    const text = signManifest(manifest, signingKey('archiver', pem(privateKey, 'pkcs8')));
    const { payload, protectedHeader } = await compactVerify(text, await importSPKI(pem(publicKey, 'spki'), 'EdDSA'));
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(manifest);
    expect(protectedHeader.typ).toBe(TYPE);
  });

  it('is refused where a byte of it was changed', () => {
    for (const at of [0, 40, 200, signed.length - 3]) {
      const changed = `${signed.slice(0, at)}${signed[at] === 'A' ? 'B' : 'A'}${signed.slice(at + 1)}`;
      expect(codeOf(() => open(changed))).toBe('BACKUP_DAMAGED');
    }
    for (const text of ['', 'no manifest', signed.slice(0, 100)])
      expect(codeOf(() => open(text))).toBe('BACKUP_DAMAGED');
  });

  it('is refused where another key signed it, or another principal', () => {
    expect(codeOf(() => open(signManifest(manifest, testSigner().key)))).toBe('BACKUP_DAMAGED');
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const worker = signingKey('worker', privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    const publicKeyPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const keys = trustedKeys([{ principal: 'worker', publicKeyPem }]);
    expect(codeOf(() => openManifest(signManifest(manifest, worker), manifest.id, INSTALL, keys))).toBe(
      'BACKUP_DAMAGED',
    );
  });

  it('is refused where it stands in the place of another, or is of another installation', () => {
    expect(codeOf(() => openManifest(signed, '20200101T000000Z-000000', INSTALL, trusted))).toBe('BACKUP_DAMAGED');
    expect(codeOf(() => openManifest(signed, manifest.id, 'another', trusted))).toBe('BACKUP_DAMAGED');
  });

  it('is refused where what is signed is of another type, lacks a member, or names a file elsewhere', () => {
    const { files, ...lacking } = manifest;
    const elsewhere = { ...manifest, files: files.map((file) => ({ ...file, name: '../../etc/passwd' })) };
    for (const text of [signedOf(manifest, 'other+jws'), signedOf(lacking), signedOf(elsewhere)])
      expect(codeOf(() => open(text))).toBe('BACKUP_DAMAGED');
  });

  it('of another format is told apart from a damaged one', () => {
    for (const format of [0, 2, 'new']) {
      const other = signedOf({ ...manifest, format });
      expect(codeOf(() => open(other))).toBe('BACKUP_FORMAT');
    }
  });
});
