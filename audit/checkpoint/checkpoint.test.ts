import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint, signCheckpoint } from './checkpoint.ts';
import { noteSigner, signNote } from './signed-note.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = noteSigner('example.com/behind-the-sofa', privateKey);
const other = noteSigner('example.com/elsewhere', privateKey);
const refused = expect.objectContaining({ code: 'AUDIT_CHECKPOINT_INVALID' }) as Error;

/** The text of the example in C2SP tlog-checkpoint. */
const ROOT = Buffer.from('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'base64');
const TEXT = `example.com/behind-the-sofa\n20852163\n${ROOT.toString('base64')}\n`;

describe('a checkpoint', () => {
  it('has the text of the specification’s example', () => {
    const note = signCheckpoint({ origin: signer.name, size: 20852163, root: ROOT }, signer);
    expect(note.slice(0, TEXT.length + 1)).toBe(`${TEXT}\n`);
    expect(openCheckpoint(note, [signer])).toEqual({ origin: signer.name, size: 20852163, root: ROOT });
  });

  it('comes back as it was signed', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (size, root) => {
        const opened = openCheckpoint(signCheckpoint({ origin: signer.name, size, root }, signer), [signer]);
        expect({ ...opened, root: Buffer.from(opened.root) }).toEqual({
          origin: signer.name,
          size,
          root: Buffer.from(root),
        });
      }),
    );
  });

  it('may have extension lines', () => {
    expect(openCheckpoint(signNote(`${TEXT}more of it\n`, signer), [signer]).size).toBe(20852163);
  });

  it.each([
    ['another log’s key', TEXT, other],
    ['no size', TEXT.replace('20852163', ''), signer],
    ['a size with a leading zero', TEXT.replace('20852163', '020852163'), signer],
    ['a negative size', TEXT.replace('20852163', '-1'), signer],
    ['a size beyond what counts exactly', TEXT.replace('20852163', '9007199254740993'), signer],
    ['a root that is too short', TEXT.replace('CsUY', ''), signer],
    ['a root that is not in base64', TEXT.replace('CsUY', 'Cs*Y'), signer],
    ['an empty extension line', `${TEXT}\nmore of it\n`, signer],
  ])('is refused with %s', (_, text, by) => {
    expect(() => openCheckpoint(signNote(text, by), [signer, other])).toThrow(refused);
  });

  it('is not signed for another log, or where it is none', () => {
    expect(() => signCheckpoint({ origin: other.name, size: 1, root: ROOT }, signer)).toThrow(RangeError);
    expect(() => signCheckpoint({ origin: signer.name, size: -1, root: ROOT }, signer)).toThrow(RangeError);
    expect(() => signCheckpoint({ origin: signer.name, size: 1, root: ROOT.subarray(1) }, signer)).toThrow(RangeError);
  });
});
