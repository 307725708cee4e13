import { describe, expect, it } from 'vitest';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import { archivable, productTopics } from './kafka-view.ts';

describe('topics that are archived', () => {
  it('are the audit log, the checkpoints, and data topics with their dead letters', () => {
    const names = ['readings', 'readings.dead-letters', AUDIT_TOPIC, CHECKPOINTS_TOPIC];
    expect(productTopics(names)).toEqual(names.toSorted());
  });

  it('are not those of others in the same cluster', () => {
    expect(productTopics(['orders', 'payments.dead-letters', '__consumer_offsets'])).toEqual([]);
  });
});

describe('a message of kafkajs', () => {
  const plain = { offset: '7', timestamp: '1700000000000', key: null, value: Buffer.alloc(0), attributes: 0 };

  it('keeps null apart from empty', () => {
    expect(archivable(3, { ...plain, headers: {} })).toEqual({
      ...{ partition: 3, offset: 7, timestamp: 1_700_000_000_000, key: null, value: Buffer.alloc(0), headers: [] },
    });
  });

  it('keeps all headers of one name, in order', () => {
    const headers = { a: [Buffer.from('1'), Buffer.from('2')], b: Buffer.alloc(0) };
    expect(archivable(0, { ...plain, headers }).headers).toEqual([
      ['a', Buffer.from('1')],
      ['a', Buffer.from('2')],
      ['b', Buffer.alloc(0)],
    ]);
  });
});
