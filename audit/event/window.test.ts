import { describe, expect, it } from 'vitest';
import { MerkleAccumulator } from '../merkle/accumulator.ts';
import { MOST_KEY_IDS, stageWindowStatement, type StageWindow } from './window.ts';

const tree = new MerkleAccumulator();
tree.appendDigest(Buffer.alloc(32));

const window: StageWindow = {
  stage: 'store',
  object: { type: 'topic', id: 'readings' },
  counts: { records: 3 },
  ranges: [
    { partition: 0, from: 2n ** 60n, to: 2n ** 60n + 1n, incarnation: 'first-life' },
    { partition: 3, from: 7, to: 7 },
  ],
  keyIds: ['b', 'a', 'b'],
  attempt: 'first',
  tree,
};

describe('stageWindowStatement', () => {
  it('states counts, ranges, keys and root', () => {
    const { action, outcome, details } = stageWindowStatement(window);
    expect({ action, outcome, details }).toEqual({
      action: 'stage.store',
      outcome: 'success',
      details: {
        attempt: 'first',
        ranges: [
          { partition: 0, from: '1152921504606846976', to: '1152921504606846977', incarnation: 'first-life' },
          { partition: 3, from: '7', to: '7' },
        ],
        keys: { count: 2, ids: ['a', 'b'] },
        tree_size: 1,
        root: Buffer.from(tree.root()).toString('hex'),
      },
    });
  });

  it('has an identity that changes with stage object, range, life and attempt, and with nothing else', () => {
    const identity = (changed: Partial<StageWindow>) => stageWindowStatement({ ...window, ...changed }).identity;
    expect(identity({ counts: { records: 9 }, traceId: 'x' })).toEqual(identity({}));
    expect(identity({ attempt: 'second' })).not.toEqual(identity({}));
    expect(identity({ ranges: window.ranges.map((range) => ({ ...range, incarnation: 'second-life' })) })).not.toEqual(
      identity({}),
    );
    expect(identity({ ranges: [] })).not.toEqual(identity({}));
    expect(identity({ object: { type: 'topic', id: 'other' } })).not.toEqual(identity({}));
  });

  it('states many keys by their number and a root that depends on every one, not on their order', () => {
    const many = Array.from({ length: MOST_KEY_IDS + 1 }, (_, n) => `key-${n}`);
    const keys = (keyIds: readonly string[]) => stageWindowStatement({ ...window, keyIds }).details?.['keys'];
    expect(keys(many)).toMatchObject({ count: many.length, root: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown });
    expect(keys(many.toReversed())).toEqual(keys(many));
    expect(keys([...many.slice(1), 'another'])).not.toEqual(keys(many));
  });
});
