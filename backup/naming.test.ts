import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BACKUP_ID, contentName, escrowNames, newBackupId, storeNames } from './naming.ts';
import { requireName } from './objects/object-store.ts';

describe('a name', () => {
  it('of a backup says when it began, and orders by that', () => {
    const [first, second] = [newBackupId(Date.UTC(2026, 10, 28, 2, 18)), newBackupId(Date.UTC(2026, 10, 28, 2, 19))];
    expect(first).toMatch(/^20261128T021800Z-/);
    expect(first).toMatch(BACKUP_ID);
    expect(first < second).toBe(true);
    expect(newBackupId(0)).not.toBe(newBackupId(0));
  });

  it('of a content is an HMAC over length-prefixed parts', () => {
    const key = Buffer.alloc(32, 7);
    const prefixed = (texts: string[]) =>
      Buffer.concat(
        texts.map((text) => {
          const length = Buffer.alloc(4);
          length.writeUInt32BE(Buffer.byteLength(text));
          return Buffer.concat([length, Buffer.from(text)]);
        }),
      );
    const expected = createHmac('sha256', key)
      .update(prefixed(['wardline backup content', 'ab', 'age1a', 'age1b']))
      .digest('hex');
    expect(contentName(key, 'ab', ['age1b', 'age1a'])).toBe(expected);
    expect(contentName(key, 'ab', ['age1a'])).not.toBe(expected);
    expect(contentName(randomBytes(32), 'ab', ['age1a', 'age1b'])).not.toBe(expected);
  });

  it('of any object is one that stores take, and sorts by its number', () => {
    const store = storeNames('7c8d2f0e-0000-4000-8000-000000000000');
    const escrow = escrowNames('7c8d2f0e-0000-4000-8000-000000000000');
    const names = [
      ...[store.content('ab'.repeat(32)), store.manifest(newBackupId(0)), store.part(newBackupId(0), 'node')],
      ...[store.chunk('iot.data_1-x', 9), store.chunkSeal('iot.data_1-x', 10), store.checkpoint(3)],
      ...[store.drillReport(newBackupId(0), 'html'), escrow.keyStore('break-glass')],
      ...[
        escrow.key('a contract/with: anything', 'personal', 'tag', 1, 'k-_id'),
        escrow.erased('c', 'restricted', 'tag'),
      ],
    ];
    for (const name of names) expect(() => requireName(name)).not.toThrow();
    expect(store.chunk('t', 9) < store.chunk('t', 10)).toBe(true);
    expect(store.content('abcd').startsWith(store.contents)).toBe(true);
    expect(escrow.key('c', 'personal', 'tag', 1, 'kid').startsWith(escrow.subject('c', 'personal', 'tag'))).toBe(true);
    expect(escrow.key('c', 'personal', 'tag2', 1, 'kid').startsWith(escrow.subject('c', 'personal', 'tag'))).toBe(
      false,
    );
    expect(escrow.erased('c', 'personal', 'tag').startsWith(escrow.keys('c'))).toBe(true);
  });
});
