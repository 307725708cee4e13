import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventStatement } from '../../audit/event/event.ts';
import { systemClock } from '../../core/clock.ts';
import { KEYS_KEYSPACE } from '../../security/principals/names.ts';
import { testSigner } from '../../test/support/backup/archive-writer.ts';
import { testShelf, type TestShelf } from '../../test/support/backup/shelf.ts';
import { codeOfAsync } from '../../test/support/failure.ts';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { headOf, type ImportRequest } from './documents.ts';
import { takeInFor, type TakeInParts } from './take-in.ts';

const NODE = 'node-b';
let temporary: TemporaryHome;
let shelf: TestShelf;
let events: EventStatement[];

beforeEach(() => {
  temporary = temporaryHome();
  shelf = testShelf(temporary.home.path, temporary.home.install);
  events = [];
});
afterEach(() => temporary.remove());

function parts(): TakeInParts {
  const { store, install, trusted } = shelf;
  return {
    ...{ home: temporary.home, store, install, trusted, clock: systemClock, nodeId: NODE },
    key: testSigner('operator').key,
    audit: {
      append(event) {
        events.push(event);
        return Promise.resolve();
      },
    },
    fetch: { store, install, identities: [], parallel: 1 },
  };
}

function found(backup: string, keyspace: string) {
  const request: ImportRequest = {
    ...{ ...headOf(shelf.install, 'r-1'), nodes: [NODE], until: new Date(Date.now() + 60_000).toISOString(), backup },
    ...{ source: { keyspace: 'k', table: 't' }, target: { keyspace, table: 't' } },
  };
  return { request, sha256: '0'.repeat(64) };
}

it.each([KEYS_KEYSPACE, 'system_auth'])('no restore brings files into %s', async (keyspace) => {
  const { id } = await shelf.backup(Date.now(), []);
  expect(await codeOfAsync(() => takeInFor(parts(), found(id, keyspace)))).toBe('REFUSED_BY_POLICY');
  expect(events).toEqual([]);
});

it('nothing is taken in of a backup whose manifest is not proved', async () => {
  const other = testShelf(temporary.home.path, shelf.install);
  const { id } = await other.backup(Date.now(), []);
  const theirs = { ...parts(), store: other.store };
  expect(await codeOfAsync(() => takeInFor(theirs, found(id, 'k')))).toBe('BACKUP_DAMAGED');
  expect(events).toEqual([]);
});

it('is on the record before anything is fetched', async () => {
  const { id } = await shelf.backup(Date.now(), [await shelf.object('not encrypted', Date.now())]);
  expect(await codeOfAsync(() => takeInFor(parts(), found(id, 'k')))).not.toBe('no error');
  expect(events).toMatchObject([{ action: 'restore.part', object: { id }, details: { node: NODE, table: 'k.t' } }]);
});
