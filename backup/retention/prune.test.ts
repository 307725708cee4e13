import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EventStatement } from '../../audit/event/event.ts';
import { makeSecretFolder } from '../../core/files.ts';
import { homePaths } from '../../core/home.ts';
import { settingsSchema } from '../../core/configuration.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { parseContract } from '../../governance/contract/index.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import { archiveWriter, message } from '../../test/support/backup/archive-writer.ts';
import { testShelf, type TestShelf } from '../../test/support/backup/shelf.ts';
import { scratch } from '../../test/support/scratch.ts';
import { chainBounds } from '../archive/read/chain.ts';
import { backupIds } from '../manifest/stored-manifests.ts';
import { storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { markUnderWay } from '../snapshot/under-way.ts';
import { prune, previewPrune, type PruneParts } from './prune.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const files = scratch();
const CONTRACT = readFileSync('governance/contracts/smart-home.odcs.yaml', 'utf8').replace(
  /property: retention, value: \d+/,
  'property: retention, value: 30',
);

let shelf: TestShelf;
let now: number;
let events: EventStatement[];

beforeEach(() => {
  shelf = testShelf(files.folder);
  now = Date.now();
  events = [];
});

function parts(more: Partial<PruneParts> = {}): PruneParts {
  const { store, install, trusted } = shelf;
  const home = { install, paths: homePaths(join(files.folder, randomUUID())) };
  makeSecretFolder(home.paths.backup);
  const retention = { keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, withinHours: 24 };
  return {
    ...{ home, store, trusted, damaged: new Set<string>(), removeUnreadable: false, clock: { now: () => now } },
    audit: {
      append(statement) {
        events.push(statement);
        return Promise.resolve();
      },
    },
    settings: settingsSchema.shape.backup.parse({ retention }),
    ...more,
  };
}

/** Two old backups and one of today, which share an object; one object that nobody names, and one of a backup to come. */
async function furnish() {
  const [shared, first, second, third] = await Promise.all([
    shelf.object('shared', now - 9 * DAY),
    shelf.object('first', now - 9 * DAY),
    shelf.object('second', now - 8 * DAY),
    shelf.object('third', now - HOUR),
  ]);
  const orphan = await shelf.object('orphan', now - 2 * DAY);
  const young = await shelf.object('young', now - HOUR);
  const backups = [
    await shelf.backup(now - 9 * DAY, [shared, first]),
    await shelf.backup(now - 8 * DAY, [shared, second]),
    await shelf.backup(now - HOUR, [shared, third]),
  ];
  return { objects: { shared, first, second, third, orphan, young }, ids: backups.map(({ id }) => id) };
}

async function contents(store: ObjectStore = shelf.store): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(storeNames(shelf.install).contents)) found.push(name.slice(-68, -4));
  return found.toSorted();
}

describe('a prune', () => {
  it('removes backups that no rule asks for, and what only they needed, once it is on the record', async () => {
    const { objects, ids } = await furnish();
    const store: ObjectStore = {
      ...shelf.store,
      remove(name) {
        expect(name.includes('under-way') || events.length > 0).toBe(true);
        return shelf.store.remove(name);
      },
    };
    const { removedBackups, removedObjects, removedBytes } = await prune(parts({ store }));
    expect(removedBackups).toEqual(ids.slice(0, 2));
    expect({ removedObjects, removedBytes }).toEqual({ removedObjects: 3, removedBytes: 17 });
    expect(await backupIds(shelf)).toEqual(ids.slice(2));
    expect(await contents()).toEqual([objects.shared, objects.third, objects.young].toSorted());
    expect(events).toMatchObject([
      { action: 'backup.prune', counts: { backups: 2, objects: 3 }, details: { backups: ids.slice(0, 2) } },
    ]);
  });

  it('with nothing to remove is no event', async () => {
    await shelf.backup(now - HOUR, [await shelf.object('only', now - 5 * DAY)]);
    expect(await prune(parts())).toMatchObject({ removedBackups: [], removedObjects: 0 });
    expect(events).toEqual([]);
  });

  it('removes nothing where it cannot be put on the record', async () => {
    const { ids } = await furnish();
    const before = await contents();
    const audit = { append: () => Promise.reject(new WardlineError('AUDIT_UNAVAILABLE', 'no')) };
    await expect(prune(parts({ audit }))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect(await backupIds(shelf)).toEqual(ids);
    expect(await contents()).toEqual(before);
  });

  it('shown beforehand changes nothing, and says what will be done', async () => {
    const { ids } = await furnish();
    const before = await contents();
    const plan = await previewPrune(parts());
    expect(plan.backups.filter(({ reasons }) => reasons.length === 0).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(plan.garbage).toHaveLength(3);
    expect(await contents()).toEqual(before);
    expect(await backupIds(shelf)).toEqual(ids);
  });

  it('takes a contract’s retention for the end of what holds its rows, whatever the rules ask for', async () => {
    const retention = { ...parts().settings.retention, keepLast: 100, monthly: 100 };
    const settings = { ...parts().settings, retention };
    const contracts = [{ id: 'smart-home', version: '1.0.0', document: CONTRACT }];
    const object = await shelf.object('old', now - 3000 * DAY);
    const unlimited = await shelf.backup(now - 3000 * DAY, [object]);
    await shelf.backup(now - 2999 * DAY, [object], { contracts });
    const newest = await shelf.backup(now - 2998 * DAY, [object], { contracts });
    await prune(parts({ settings }));
    expect(await backupIds(shelf)).toEqual([unlimited.id, newest.id]);
  });

  it('sweeps parts and marks of dead processes, and puts that were killed', async () => {
    const names = storeNames(shelf.install);
    const dead = [names.part('20200101T000000Z-000000', 'node'), names.underWay('backup', '20200101T000000Z-000000')];
    const living = names.part('20991231T000000Z-000000', 'node');
    for (const name of [...dead, living]) await shelf.store.put(name, Buffer.from('x'));
    for (const name of dead) shelf.age(name, now - 2 * DAY);
    await prune(parts());
    for (const name of dead) expect(await shelf.store.stat(name)).toBeUndefined();
    expect(await shelf.store.stat(living)).toBeDefined();
  });
});

describe('the log archive', () => {
  const RETENTION = 30 * DAY;
  /** What the archive of a test's topic holds was appended at the beginning of 2026. */
  const APPENDED = message(0, 0).timestamp;
  const contracts = [{ id: 'smart-home', version: '1.0.0', document: CONTRACT }];
  const { topic } = parseContract(CONTRACT, 'smart-home.odcs.yaml');

  async function archive(topics: readonly string[]): Promise<void> {
    for (const name of topics) {
      const writer = await archiveWriter(shelf.store, shelf, name);
      for (let offset = 0; offset < 3; offset += 1) await writer.write([message(0, offset)]);
    }
  }
  async function chunks(name: string): Promise<number> {
    const bounds = await chainBounds(shelf.store, shelf.install, name);
    return bounds === undefined ? 0 : bounds.next - bounds.first;
  }

  it('loses what is past its topic’s retention, and never of the audit log or of a topic of no contract', async () => {
    const all = [topic.name, topic.deadLetterName, AUDIT_TOPIC, CHECKPOINTS_TOPIC, 'another'];
    await archive(all);
    now = APPENDED + RETENTION + DAY;
    await shelf.backup(now - HOUR, [], { contracts });
    expect((await previewPrune(parts())).archive).toMatchObject([{ chunks: 2 }, { chunks: 2 }]);
    expect(await prune(parts())).toMatchObject({ removedChunks: 4 });
    expect(await Promise.all(all.map(chunks))).toEqual([1, 1, 3, 3, 3]);
    expect(events).toMatchObject([{ counts: { backups: 0, chunks: 4 } }]);
    expect(await prune(parts())).toMatchObject({ removedChunks: 0 });
  });

  it.each([
    { why: 'its topic’s retention lasts', at: RETENTION - DAY, backup: RETENTION - 2 * DAY },
    { why: 'a backup that stays began before it', at: RETENTION + DAY, backup: -HOUR },
  ])('keeps everything while $why', async ({ at, backup }) => {
    await archive([topic.name]);
    now = APPENDED + at;
    await shelf.backup(APPENDED + backup, [], { contracts });
    expect(await prune(parts())).toMatchObject({ removedChunks: 0 });
    expect(await chunks(topic.name)).toBe(3);
  });

  it('keeps everything while a manifest cannot be read', async () => {
    await archive([topic.name]);
    now = APPENDED + RETENTION + DAY;
    await shelf.backup(now - HOUR, [], { contracts });
    await shelf.backup(now - DAY, [], { format: 2 } as never);
    expect(await prune(parts())).toMatchObject({ removedChunks: 0 });
  });

  it('loses a chunk whose seal a killed prune had removed already', async () => {
    await archive([topic.name]);
    const names = storeNames(shelf.install);
    await shelf.store.remove(names.chunkSeal(topic.name, 0));
    shelf.age(names.chunk(topic.name, 0), now - 2 * DAY);
    await prune(parts());
    expect(await shelf.store.stat(names.chunk(topic.name, 0))).toBeUndefined();
    expect(await shelf.store.stat(names.chunk(topic.name, 1))).toBeDefined();
  });
});

describe('objects stay', () => {
  it('while a backup is under way on another machine', async () => {
    const { ids } = await furnish();
    const before = await contents();
    await markUnderWay(parts(), 'backup', 'b', async () => {
      const { plan, removedBackups } = await prune(parts());
      expect(removedBackups).toEqual(ids.slice(0, 2));
      expect(plan.held).toContain('under way');
    });
    expect(await contents()).toEqual(before);
    expect((await prune(parts())).removedObjects).toBe(3);
  });

  it('where a manifest is damaged, which stays itself unless its removal is asked for', async () => {
    const { ids } = await furnish();
    const before = await contents();
    const [damaged = ''] = ids;
    writeFileSync(join(shelf.folder, storeNames(shelf.install).manifest(damaged)), 'no manifest');
    const { plan, removedBackups } = await prune(parts());
    expect(removedBackups).toEqual([ids[1]]);
    expect(plan.held).toContain(damaged);
    expect(plan.unreadable).toMatchObject([{ id: damaged, problem: { code: 'BACKUP_DAMAGED' } }]);
    expect(await contents()).toEqual(before);
    expect(await prune(parts({ removeUnreadable: true }))).toMatchObject({
      removedBackups: [damaged],
      removedObjects: 3,
    });
  });

  it('where a manifest is of another version, whatever is asked for', async () => {
    const { ids } = await furnish();
    const before = await contents();
    const other = await shelf.backup(now - 5 * DAY, [], { format: 2 } as never);
    const { removedBackups } = await prune(parts({ removeUnreadable: true }));
    expect(removedBackups).toEqual(ids.slice(0, 2));
    expect(await backupIds(shelf)).toEqual([other.id, ids[2]]);
    expect(await contents()).toEqual(before);
  });

  it('of a backup whose manifest the store does not let go', async () => {
    const { objects, ids } = await furnish();
    const locked = storeNames(shelf.install).manifest(ids[0] ?? '');
    const store: ObjectStore = {
      ...shelf.store,
      remove: (name) =>
        name === locked ? Promise.reject(new WardlineError('STORE_REFUSED', 'locked')) : shelf.store.remove(name),
    };
    const { removedBackups, refused } = await prune(parts({ store }));
    expect(removedBackups).toEqual([ids[1]]);
    expect([...refused]).toEqual([[locked, 'locked']]);
    const { shared, first, third, young } = objects;
    expect(await contents()).toEqual([shared, first, third, young].toSorted());
    expect(events.at(-1)).toMatchObject({ outcome: 'failure', code: 'STORE_REFUSED', counts: { refused: 1 } });
  });

  it('where this process stood still while it removed', async () => {
    await furnish();
    const store: ObjectStore = {
      ...shelf.store,
      async remove(name) {
        await shelf.store.remove(name);
        if (name.includes('/manifests/')) now += 2 * HOUR;
      },
    };
    const before = await contents();
    await expect(prune(parts({ store }))).rejects.toMatchObject({ code: 'BACKUP_BUSY' });
    expect(await contents()).toEqual(before);
  });
});

describe('a prune that is killed at any call to the store', () => {
  it('leaves whole backups only, and is completed by the next', async () => {
    for (let calls = 0, ended = false; !ended; calls += 1) {
      shelf = testShelf(files.folder);
      const { objects, ids } = await furnish();
      const same = parts();
      ended = await prune({ ...same, store: failsAfter(calls) }).then(
        () => true,
        () => false,
      );
      const left = new Set(await contents());
      for (const id of await backupIds(shelf)) {
        const needs = { [ids[0] ?? '']: objects.first, [ids[1] ?? '']: objects.second, [ids[2] ?? '']: objects.third };
        for (const object of [objects.shared, needs[id] ?? '']) expect(left).toContain(object);
      }
      await prune(same);
      expect(await backupIds(shelf)).toEqual(ids.slice(2));
      expect(await contents()).toEqual([objects.shared, objects.third, objects.young].toSorted());
      expect(calls).toBeLessThan(100);
    }
  });
});

/** The shelf's store, which does nothing more after so many calls, as seen by a process that is killed. */
function failsAfter(calls: number): ObjectStore {
  let left = calls;
  const count = (): void => {
    left -= 1;
    if (left < 0) throw new WardlineError('STORE_UNREACHABLE', 'killed');
  };
  const { store } = shelf;
  return {
    ...store,
    async put(name, body) {
      count();
      return store.put(name, body);
    },
    async remove(name) {
      count();
      await store.remove(name);
    },
    async *list(prefix) {
      count();
      yield* store.list(prefix);
    },
    async *get(name) {
      count();
      yield* store.get(name);
    },
  };
}
