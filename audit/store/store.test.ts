import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENTS_PER_BLOCK } from '../../security/audit-keyspace/tables.ts';
import { blockOf, blockStart, heldBlocks } from './blocks.ts';
import { columnsOf } from './columns.ts';
import { epochOfOrigin, originOf } from './epochs.ts';

describe('blocks', () => {
  it('begin where the one before ends', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (block) => {
        expect(blockOf(blockStart(block))).toBe(block);
        expect(blockOf(blockStart(block) + EVENTS_PER_BLOCK - 1)).toBe(block);
      }),
    );
  });

  it('are counted with few questions, whatever was guessed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100_000), fc.nat(200_000), async (held, hint) => {
        let asked = 0;
        const holds = (block: number): Promise<boolean> => {
          asked += 1;
          return Promise.resolve(block < held);
        };
        expect(await heldBlocks(holds, hint)).toBe(held);
        expect(asked).toBeLessThan(45);
      }),
    );
  });
});

describe('columns', () => {
  const message = (document: unknown): Buffer =>
    Buffer.from(`header.${Buffer.from(JSON.stringify(document)).toString('base64url')}.signature`);

  it('are what the event says', () => {
    const event = {
      actor: { principal: 'reader', host: 'a' },
      action: 'read.open',
      object: { type: 'subject', id: 'home-1' },
      outcome: 'success',
      trace_id: 'ab',
      time: '2026-01-02T03:04:05.678Z',
    };
    expect(columnsOf(message(event))).toEqual({
      actor: 'reader',
      action: 'read.open',
      objectType: 'subject',
      objectId: 'home-1',
      outcome: 'success',
      traceId: 'ab',
      time: Date.parse(event.time),
    });
  });

  it('are empty where a message is no event, whatever it holds', () => {
    const none = {
      actor: null,
      action: null,
      objectType: null,
      objectId: null,
      outcome: null,
      traceId: null,
      time: null,
    };
    for (const bytes of ['', '{}', '..', 'a.b', 'a.!!!.c']) expect(columnsOf(Buffer.from(bytes))).toEqual(none);
    for (const document of [null, 7, [], { actor: 'reader', object: 3, time: 'never', action: 7 }])
      expect(columnsOf(message(document))).toEqual(none);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void columnsOf(Buffer.from(bytes))));
  });
});

describe('origins', () => {
  it('name an installation’s epoch, and no other', () => {
    expect(epochOfOrigin('install', originOf('install', 12))).toBe(12);
    for (const origin of [
      'install/audit/0',
      'install/audit/01',
      'install/audit/',
      'other/audit/1',
      'install/audit/1/2',
    ])
      expect(epochOfOrigin('install', origin)).toBeUndefined();
  });
});
