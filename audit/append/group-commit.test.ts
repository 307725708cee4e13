import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.ts';

const options = { sizeOf: (text: string) => text.length, largestGroup: 5, largestGroupBytes: 10, waitingLimit: 100 };

describe('GroupCommit', () => {
  it('writes every item once, in order, in groups within their limits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 14 }), { maxLength: 60 }), async (items) => {
        const groups: string[][] = [];
        const commit = new GroupCommit<string>({
          ...options,
          write: async (group) => {
            groups.push([...group]);
            await new Promise(setImmediate);
          },
        });
        await Promise.all(items.map((item) => commit.add(item)));
        expect(groups.flat()).toEqual(items);
        for (const group of groups) {
          expect(group.length).toBeLessThanOrEqual(5);
          if (group.length > 1) expect(group.join('').length).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses an item when too many wait, and takes items again afterwards', async () => {
    const gate = Promise.withResolvers<undefined>();
    const commit = new GroupCommit<string>({ ...options, waitingLimit: 2, write: () => gate.promise });
    const first = commit.add('a');
    await Promise.resolve();
    const waiting = [commit.add('b'), commit.add('c')];
    await expect(commit.add('d')).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    gate.resolve(undefined);
    await Promise.all([first, ...waiting]);
    await expect(commit.add('e')).resolves.toBeUndefined();
  });
});
