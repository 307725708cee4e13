import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import type { EventStatement } from '../../audit/event/event.ts';
import type { FoundEvent } from '../../audit/query/query.ts';
import { createEventSigner } from '../../audit/event/sign-event.ts';
import { columnsOf } from '../../audit/store/columns.ts';
import { eventRow, eventTable } from './event-view.ts';

const { privateKey } = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
});
const clock = { now: () => Date.UTC(2026, 4, 3, 10, 20, 30, 456) };
const sign = createEventSigner({ principal: 'reader', host: 'h1', install: 'i1', signingKeyPem: privateKey, clock });

function found(statement: Partial<EventStatement>): FoundEvent {
  const object = { type: 'subject', id: 'home-0001' };
  const message = sign({ action: 'read.open', object, outcome: 'success', ...statement });
  return { epoch: 1, sequence: 51, message, columns: columnsOf(message) };
}

const what = (statement: Partial<EventStatement>): string => eventRow(found(statement)).at(-1) ?? '';

it('tells who did what to what, when in UTC, and what came of it', () => {
  const counts = { rows: 1, opened: 9, masked: 0 };
  const details = { purpose: 'care', classes: ['personal'] };
  expect(eventRow(found({ counts, details }))).toEqual([
    ...['1/51', '2026-05-03 10:20:30', 'reader', 'read.open', 'subject home-0001', 'success'],
    '9 opened, 1 row, for care, opens personal',
  ]);
});

it('names the client of whom a server speaks, and how often', () => {
  const details = { principal: 'auditor', statement: 'UNAUTHORIZED_ATTEMPT', right: 'SELECT', address: '127.0.0.1' };
  expect(what({ outcome: 'denied', code: 'PERMISSION_DENIED', counts: { times: 3 }, details })).toBe(
    'PERMISSION_DENIED, by auditor, needs SELECT, from 127.0.0.1, 3 times',
  );
  expect(what({ counts: { times: 1 }, details: { tried: 'operator', address: '::1' } })).toBe('as operator, from ::1');
});

it('tells of settings, windows and questions what an auditor looks for', () => {
  expect(what({ details: { changed: ['worker.windowRecords', 'source.sealThreads'] } })).toBe(
    'changed: worker.windowRecords source.sealThreads',
  );
  const ranges = [{ partition: 2, from: 0, to: 999 }, { partition: 3 }];
  expect(what({ counts: { records: 1000 }, details: { ranges } })).toBe(
    '1000 records, partition 2: 0–999 and 1 more range',
  );
  expect(what({ details: { outcome: 'denied', since: Date.UTC(2026, 4, 3) } })).toBe(
    'outcome denied, since 2026-05-03 00:00:00',
  );
});

it('keeps long names from pushing aside what happened, and shows what is no event', () => {
  const id = '84d0ac01-1b2c-4d3e-8f90-123456789abc';
  expect(eventRow(found({ object: { type: 'home', id } }))[4]).toBe('home 84d0ac01…');
  expect(eventRow(found({ object: { type: 'table', id: 'x'.repeat(80) } }))[4]).toBe(`table ${'x'.repeat(33)}…`);
  const message = Buffer.from('no event');
  expect(eventTable([{ epoch: 1, sequence: 7, message, columns: columnsOf(message) }]).split('\n')[2]).toMatch(
    /^1\/7 +\? +no event$/,
  );
});
