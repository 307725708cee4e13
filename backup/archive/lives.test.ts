import { describe, expect, it } from 'vitest';
import { continuation, continuationAfter, nextLife } from './lives.ts';

const LAST = 'a'.repeat(64);
const end = { partition: 0, life: '0000-0123456789abcdef', next: 100, lastSha256: LAST };

describe('lives of a partition', () => {
  it('are ordered by text, and no two are the same', () => {
    let life = nextLife(undefined);
    expect(life).toMatch(/^0000-[0-9a-f]{16}$/);
    for (let times = 0; times < 12; times += 1) {
      const next = nextLife(life);
      expect(next > life).toBe(true);
      life = next;
    }
    expect(nextLife(undefined)).not.toBe(nextLife(undefined));
  });
});

describe('archiving of a partition goes on', () => {
  it('from the beginning where nothing is archived', () => {
    const go = continuation(undefined, { low: 0, high: 7 });
    expect(go).toMatchObject({ kind: 'go-on', from: 0, isNewLife: true, gap: undefined });
  });

  it('from the first message where the first ones are deleted already, which is a gap', () => {
    const go = continuation(undefined, { low: 5, high: 7 });
    expect(go).toMatchObject({ from: 5, gap: { from: 0, to: 5 } });
  });

  it('after a look at the last archived message where that is there', () => {
    expect(continuation(end, { low: 0, high: 100 })).toEqual({ kind: 'compare', at: 99 });
    expect(continuation(end, { low: 99, high: 200 })).toEqual({ kind: 'compare', at: 99 });
    expect(continuationAfter(end, { low: 0, high: 200 }, LAST)).toEqual({
      ...{ kind: 'go-on', life: end.life, from: 100, isNewLife: false, gap: undefined },
    });
  });

  it('in another life where another message stands in its place, or the topic ends before it', () => {
    for (const go of [
      continuationAfter(end, { low: 0, high: 200 }, 'b'.repeat(64)),
      continuation(end, { low: 0, high: 99 }),
      continuation(end, { low: 0, high: 0 }),
    ])
      expect(go).toMatchObject({
        kind: 'go-on',
        from: 0,
        isNewLife: true,
        life: expect.stringMatching(/^0001-/) as string,
      });
  });

  it('in the same life where retention overtook it, and says what is lost', () => {
    expect(continuation(end, { low: 100, high: 100 })).toMatchObject({ life: end.life, from: 100, gap: undefined });
    expect(continuation(end, { low: 150, high: 200 })).toMatchObject({
      ...{ life: end.life, from: 150, isNewLife: false, gap: { from: 100, to: 150 } },
    });
  });
});
