import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash } from '../merkle/hash.ts';
import { rootOf } from '../merkle/tree.ts';
import { emptyBlock, setLeaf, type BlockCopy } from './block-copy.ts';
import { Branches } from './branches.ts';
import { Differences } from './differences.ts';
import type { CopyName, Finding } from './finding.ts';

/** A log of so few events; blocks are as small, so that a log has several. */
const SIZE = 24;
const BLOCK = 8;
const leaf = (text: string): Uint8Array => leafHash(Buffer.from(text));
const LOG = Array.from({ length: SIZE }, (_, index) => leaf(`event ${index}`));

type Leaves = readonly (Uint8Array | undefined)[];

function blockOf(leaves: Leaves, start: number): BlockCopy {
  const block = emptyBlock(BLOCK);
  leaves.slice(start, start + BLOCK).forEach((hash, index) => {
    if (hash !== undefined) setLeaf(block, index, hash);
  });
  return block;
}

/** Compares a keyspace with the topic that it was made of. */
function compared(keyspace: Leaves): { readonly findings: readonly Finding[]; readonly heads: readonly string[] } {
  const branches = new Branches(['audit keyspace', 'topic']);
  const differences = new Differences();
  const heads: string[] = [];
  for (let start = 0; start < SIZE; start += BLOCK) {
    const blocks = new Map<CopyName, BlockCopy>([
      ['audit keyspace', blockOf(keyspace, start)],
      ['topic', blockOf(LOG, start)],
    ]);
    differences.compare(blocks, start, BLOCK);
    for (const { size, copies, root } of branches.append(blocks, BLOCK, [start + BLOCK])) {
      if (root !== undefined && Buffer.compare(root, rootOf(LOG.slice(0, size))) === 0)
        heads.push(...copies.map((copy) => `${copy} ${size}`));
    }
  }
  return { findings: differences.findings(1, 'topic', SIZE), heads };
}

const places = (findings: readonly Finding[], kind: Finding['kind']): number[] =>
  findings
    .filter((finding) => finding.kind === kind)
    .flatMap(({ from = 0, to = -1 }) => Array.from({ length: to - from + 1 }, (_, at) => from + at));

const index = fc.nat(SIZE - 1);

describe('copies of a log', () => {
  it('agree where nothing was done, and lead to every checkpoint', () => {
    expect(compared(LOG)).toEqual({
      findings: [],
      heads: [8, 16, 24].flatMap((size) => [`audit keyspace ${size}`, `topic ${size}`]),
    });
  });

  it('show an event that was changed, and lead to no checkpoint behind it', () => {
    fc.assert(
      fc.property(index, (at) => {
        const { findings, heads } = compared(LOG.with(at, leaf('another')));
        expect(findings).toMatchObject([{ kind: 'changed', where: 'audit keyspace', from: at, to: at }]);
        expect(heads.filter((head) => head.startsWith('topic'))).toEqual(['topic 8', 'topic 16', 'topic 24']);
        expect(heads).not.toContain(`audit keyspace ${SIZE}`);
      }),
    );
  });

  it('show the events that are missing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(index, { minLength: 1 }), (gone) => {
        const keyspace = LOG.map((hash, at) => (gone.includes(at) ? undefined : hash));
        const { findings } = compared(keyspace);
        expect(findings.every(({ kind }) => kind === 'missing')).toBe(true);
        expect(places(findings, 'missing')).toEqual(gone.toSorted((a, b) => a - b));
      }),
    );
  });

  it('show events that change places', () => {
    fc.assert(
      fc.property(fc.uniqueArray(index, { minLength: 2, maxLength: 2 }), ([a = 0, b = 0]) => {
        const keyspace = LOG.with(a, LOG[b] ?? leaf('')).with(b, LOG[a] ?? leaf(''));
        const { findings } = compared(keyspace);
        expect(places(findings, 'reordered')).toEqual([a, b].toSorted((x, y) => x - y));
        expect(findings).toHaveLength(2);
      }),
    );
  });

  it('show an event that was put between two others: all behind it stand elsewhere', () => {
    fc.assert(
      fc.property(fc.nat(SIZE - 3), (at) => {
        const { findings } = compared([...LOG.slice(0, at), leaf('put in'), ...LOG.slice(at, -1)]);
        expect(places(findings, 'changed')).toEqual([at]);
        expect(places(findings, 'reordered')).toEqual(
          Array.from({ length: SIZE - at - 1 }, (_, more) => at + more + 1),
        );
      }),
    );
  });

  it('show an event that stands where the right copy has none', () => {
    const differences = new Differences();
    const blocks = new Map<CopyName, BlockCopy>([
      ['audit keyspace', blockOf(LOG, 0)],
      ['topic', blockOf(LOG.with(3, undefined as never), 0)],
    ]);
    differences.compare(blocks, 0, BLOCK);
    expect(differences.findings(1, 'topic', SIZE)).toMatchObject([{ kind: 'added', where: 'audit keyspace', from: 3 }]);
  });

  it('do not miss, beyond the largest checkpoint, what a copy has not got yet', () => {
    const differences = new Differences();
    const blocks = new Map<CopyName, BlockCopy>([
      [
        'audit keyspace',
        blockOf(
          LOG.map((hash, at) => (at < 5 ? hash : undefined)),
          0,
        ),
      ],
      ['topic', blockOf(LOG, 0)],
    ]);
    differences.compare(blocks, 0, BLOCK);
    expect(differences.findings(1, 'topic', 5)).toEqual([]);
    expect(differences.findings(1, 'topic', 7)).toMatchObject([{ kind: 'missing', from: 5, to: 6 }]);
  });
});
