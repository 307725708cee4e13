import { describe, expect, it } from 'vitest';
import { life, message } from '../../../test/support/backup/archive-writer.ts';
import type { ArchivedMessage } from '../../archive/read/read-archive.ts';
import { isBehind, messageChooser, type ChooseOptions, type Copy } from './choose-messages.ts';
import { ORIGINAL_PLACE, placeHeader, placeIn, placeReader, type OriginalPlace } from './original-place.ts';

const options: ChooseOptions = {
  incarnationOf: (partition, of) => `stored-${partition}-${of.slice(0, 4)}`,
  copiedInto: (partition) => `again-${partition}`,
  notBefore: 0,
};

/** A copy as the archiver finds it on the topic that was made again. */
function archivedCopy(copy: Copy, of: string, offset: number): ArchivedMessage {
  const { partition, timestamp, key, value, headers } = copy;
  return { partition, timestamp, key, value, headers, life: of, offset };
}

const places = (copies: readonly Copy[]) =>
  copies.map(({ partition, place }) => `${partition} ${place.life.slice(0, 4)}/${place.offset} ${place.incarnation}`);

const FIRST = [message(0, 5), message(0, 6), message(1, 0), message(0, 7)];

describe('the header of a copy', () => {
  const place: OriginalPlace = { life: life(3), offset: 2 ** 48, incarnation: 'a-b_c', copiedInto: 'd' };

  it('tells where the message stood', () => {
    expect(placeIn([['other', Buffer.from('x')], placeHeader(place)])).toEqual(place);
  });

  it.each(['', `${life(0)}/1/a`, `${life(0)}/-1/a/b`, `${life(0)}/1/a b/c`, `x/1/a/b`, `${life(0)}/1/a/b/c`])(
    'of another form tells nothing: %j',
    (text) => {
      expect(placeIn([[ORIGINAL_PLACE, Buffer.from(text)]])).toBeUndefined();
    },
  );
});

describe('a topic that is filled again', () => {
  it('gets each message as it was, with its place', () => {
    const copies = messageChooser(options)(FIRST);
    expect(places(copies)).toEqual([
      '0 0000/5 stored-0-0000',
      '0 0000/6 stored-0-0000',
      '1 0000/0 stored-1-0000',
      '0 0000/7 stored-0-0000',
    ]);
    for (const [index, copy] of copies.entries()) {
      const { key, value, timestamp, headers } = FIRST[index] ?? message(9, 9);
      expect(copy).toMatchObject({ key, value, timestamp });
      expect(copy.headers).toEqual([...headers, placeHeader(copy.place)]);
    }
  });

  it('gets nothing that has outlived the retention', () => {
    const copies = messageChooser({ ...options, notBefore: message(0, 7).timestamp })(FIRST);
    expect(copies.every(({ timestamp }) => timestamp >= message(0, 7).timestamp)).toBe(true);
    expect(copies.length).toBeLessThan(FIRST.length);
  });

  it('gets each message once, whether its first copy was archived or not, and what came after with its own place', () => {
    const copies = messageChooser(options)(FIRST).filter(({ partition }) => partition === 0);
    const again = copies.map((copy, offset) => archivedCopy(copy, life(1), offset));
    const later = message(0, 3, life(1));
    const expected = ['0 0000/5 stored-0-0000', '0 0000/6 stored-0-0000', '0 0000/7 stored-0-0000', '0 0001/3 again-0'];
    const all = messageChooser(options)([...FIRST, ...again, later]).filter(({ partition }) => partition === 0);
    expect(places(all)).toEqual(expected);
    // Where the first life's chunks are pruned, the copies stand for them.
    expect(places(messageChooser(options)([...again, later]))).toEqual(expected);
    expect(all.every(({ headers }) => headers.filter(([name]) => name === ORIGINAL_PLACE).length === 1)).toBe(true);
  });

  it('is gone on with behind what it has', () => {
    const [first, second] = messageChooser(options)(FIRST).map(({ place }) => place);
    if (first === undefined || second === undefined) throw new Error('no copies');
    expect([isBehind(second, first), isBehind(first, second), isBehind(first, first)]).toEqual([true, false, false]);
    expect(isBehind({ ...first, life: life(1), offset: 0 }, second)).toBe(true);
  });
});

describe('a header that a source wrote', () => {
  const forged = (offset: number): ArchivedMessage => ({
    ...message(0, offset, life(1)),
    headers: [placeHeader({ life: life(0), offset: 99, incarnation: 'x', copiedInto: 'y' })],
  });

  it('counts for nothing behind the copies of its life', () => {
    const reader = placeReader();
    expect(reader.original(message(0, 0, life(1)))).toBeUndefined();
    expect(reader.original(forged(1))).toBeUndefined();
    expect(reader.incarnationOf(0, life(1))).toBeUndefined();
  });

  it('counts for nothing where it names the message’s own life or a later one', () => {
    const own = placeHeader({ life: life(1), offset: 0, incarnation: 'x', copiedInto: 'y' });
    expect(placeReader().original({ ...message(0, 4, life(1)), headers: [own] })).toBeUndefined();
  });
});
