import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash } from '../merkle/hash.ts';
import { inclusionProof } from '../merkle/inclusion.ts';
import { rootOf } from '../merkle/tree.ts';
import { signCheckpoint } from './checkpoint.ts';
import { noteSigner } from './signed-note.ts';
import { checkTlogProof, parseTlogProof, tlogProofText } from './tlog-proof.ts';

const signer = noteSigner('example.com/log', generateKeyPairSync('ed25519').privateKey);
const refused = expect.objectContaining({
  code: expect.stringMatching(/^AUDIT_(PROOF|CHECKPOINT)_INVALID$/) as string,
}) as Error;

const entryOf = (index: number): Buffer => Buffer.from(`entry ${index}`);

/** A proof of one of `size` entries. */
function proofOf(index: number, size: number): Buffer {
  const leaves = Array.from({ length: size }, (_, at) => leafHash(entryOf(at)));
  const checkpoint = signCheckpoint({ origin: signer.name, size, root: rootOf(leaves) }, signer);
  return Buffer.from(tlogProofText({ entry: entryOf(index), index, path: inclusionProof(index, leaves), checkpoint }));
}

describe('a proof', () => {
  it('has the form of the specification’s example', () => {
    expect(proofOf(2, 5).toString()).toMatch(
      /^c2sp\.org\/tlog-proof@v1\nextra ZW50cnkgMg==\nindex 2\n([A-Za-z0-9+/]{43}=\n){3}\nexample\.com\/log\n5\n/,
    );
  });

  it('shows its entry, for any entry of any log', () => {
    const places = fc
      .integer({ min: 1, max: 300 })
      .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }));
    fc.assert(
      fc.property(places, ({ size, index }) => {
        const proved = checkTlogProof(proofOf(index, size), [signer]);
        expect(Buffer.from(proved.entry)).toEqual(entryOf(index));
        expect(proved).toMatchObject({ index, checkpoint: { origin: signer.name, size } });
      }),
      { numRuns: 50 },
    );
  });

  it('does not hold with any one byte changed, left out or added', () => {
    const proof = proofOf(4, 7);
    for (let at = 0; at < proof.length; at += 1) {
      const before = proof.subarray(0, at);
      const after = proof.subarray(at + 1);
      for (const other of [0x0a, 0x20, 0x30, 0x41, (proof[at] ?? 0) ^ 1].filter((byte) => byte !== proof[at]))
        expect(() => checkTlogProof(Buffer.concat([before, Buffer.of(other), after]), [signer])).toThrow(refused);
      expect(() => checkTlogProof(Buffer.concat([before, after]), [signer])).toThrow(refused);
      expect(() => checkTlogProof(Buffer.concat([before, Buffer.of(0x41), proof.subarray(at)]), [signer])).toThrow(
        refused,
      );
    }
  });

  it('does not hold under another key, nor for another entry or place', () => {
    const proof = proofOf(4, 7).toString();
    const stranger = noteSigner('example.com/log', generateKeyPairSync('ed25519').privateKey);
    const changed = [
      proof.replace('extra ZW50cnkgNA==', `extra ${entryOf(5).toString('base64')}`),
      proof.replace('index 4', 'index 5'),
      proof.replace('index 4', 'index 9007199254740993'),
      proof.replace(/^extra .*\n/m, ''),
    ];
    expect(() => checkTlogProof(Buffer.from(proof), [stranger])).toThrow(refused);
    for (const text of changed) expect(() => checkTlogProof(Buffer.from(text), [signer])).toThrow(refused);
  });

  it('is read without being believed', () => {
    expect(parseTlogProof(proofOf(1, 3))).toMatchObject({ index: 1, path: { length: 2 } });
    expect(() => parseTlogProof(Buffer.alloc(300_000, 0x41))).toThrow(refused);
  });
});
