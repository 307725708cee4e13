import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noteSigner, noteVerifier, openNote, parseVerifierKey, signNote, verifierKeyText } from './signed-note.ts';

/** The documented example of Go's golang.org/x/mod/sumdb/note: key pair, text and signed note. */
const GO = {
  signer: 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  verifier: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};
const GO_NOTE = `${GO.text}\n${GO.signature}`;

/** Ed25519's PKCS #8 form (RFC 8410) before the seed. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKeyOf(goSigner: string): KeyObject {
  const seed = Buffer.from(goSigner.slice(goSigner.lastIndexOf('+AY') + 1), 'base64').subarray(1);
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

const { privateKey } = generateKeyPairSync('ed25519');
const signer = noteSigner('example.com/log', privateKey);
const refused = expect.objectContaining({ code: 'AUDIT_CHECKPOINT_INVALID' }) as Error;

/** Lines of what may stand in a note. */
const texts = fc
  .array(
    fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/[\u0000-\u001f]/g, '.')),
    { minLength: 1, maxLength: 6 },
  )
  .map((lines) => `${lines.join('\n')}\n`);

describe('a signed note', () => {
  it('is the one that Go’s note package documents, byte for byte', () => {
    expect(signNote(GO.text, noteSigner('PeterNeumann', privateKeyOf(GO.signer)))).toBe(GO_NOTE);
    expect(openNote(Buffer.from(GO_NOTE), [parseVerifierKey(GO.verifier)])).toBe(GO.text);
    expect(verifierKeyText(parseVerifierKey(GO.verifier))).toBe(GO.verifier);
  });

  it('opens to its text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(openNote(Buffer.from(signNote(text, signer)), [signer])).toBe(text);
      }),
    );
  });

  it('is refused with any one byte changed', () => {
    const note = Buffer.from(signNote('example.com/log\n7\n\nand more\n', signer));
    for (let at = 0; at < note.length; at += 1) {
      for (const other of [0x00, 0x0a, 0x20, 0x41, 0x80, (note[at] ?? 0) ^ 1]) {
        if (other === note[at]) continue;
        const changed = Buffer.from(note);
        changed[at] = other;
        expect(() => openNote(changed, [signer])).toThrow(refused);
      }
    }
  });

  it('may bear signatures of unknown keys beside a known one', () => {
    const other = noteSigner('witness.example', generateKeyPairSync('ed25519').privateKey);
    const [, line = ''] = signNote(GO.text, other).split('\n\n');
    const both = Buffer.from(`${GO_NOTE}${line}`);
    expect(openNote(both, [parseVerifierKey(GO.verifier)])).toBe(GO.text);
    expect(() => openNote(both, [signer])).toThrow(refused);
    // A known key whose signature does not hold spoils the note.
    const forged = Buffer.from(`${GO_NOTE}${signNote('another text\n', other).split('\n\n')[1] ?? ''}`);
    expect(() => openNote(forged, [parseVerifierKey(GO.verifier), other])).toThrow(refused);
  });

  it.each([
    ['nothing', ''],
    ['no signature', 'text\n'],
    ['no end of line', GO_NOTE.trimEnd()],
    ['a hyphen for the dash', GO_NOTE.replace('—', '-')],
    ['a signature of four bytes', `${GO.text}\n— PeterNeumann x08gow==\n`],
    ['a control character', GO_NOTE.replace('think', 'thi\tnk')],
    ['base64 with bits to spare', GO_NOTE.replace('nAM=\n', 'nAN=\n')],
  ])('is refused with %s', (_, note) => {
    expect(() => openNote(Buffer.from(note), [parseVerifierKey(GO.verifier)])).toThrow(refused);
  });

  it('is not made of what no note can hold', () => {
    expect(() => signNote('no end of line', signer)).toThrow(RangeError);
    expect(() => signNote('a\ttab\n', signer)).toThrow(RangeError);
    for (const name of ['', 'two words', 'a+b']) expect(() => noteSigner(name, privateKey)).toThrow(RangeError);
    expect(() => noteVerifier('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)).toThrow(
      RangeError,
    );
  });
});

describe('a verifier’s key', () => {
  it('is refused where any character of it is changed', () => {
    const line = verifierKeyText(signer);
    for (let at = 0; at < line.length; at += 1) {
      const other = line[at] === 'x' ? 'y' : 'x';
      const changed = `${line.slice(0, at)}${other}${line.slice(at + 1)}`;
      expect(() => parseVerifierKey(changed)).toThrow(refused);
    }
  });
});
