import { randomUUID } from 'node:crypto';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { homePaths } from '../../core/home.ts';
import { makeSecretFolder } from '../../core/files.ts';
import { scratch } from '../../test/support/scratch.ts';

import { storeNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { markUnderWay, othersUnderWay, waitUntilNoneUnderWay, type Marks } from './under-way.ts';

const HOUR = 3_600_000;
const files = scratch();
const install = 'install-of-a-test';

let folder: string;
let now: number;

/** A home of its own on the one store: another machine. */
function machine(): Marks {
  const home = { install, paths: homePaths(join(files.folder, randomUUID())) };
  makeSecretFolder(home.paths.backup);
  return { store: folderStore(folder), home, clock: { now: () => now } };
}

beforeEach(() => {
  folder = join(files.folder, randomUUID());
  now = Date.now();
});

describe('a mark', () => {
  it('is seen by other machines as long as the work goes on, and by nobody afterwards', async () => {
    const [one, other] = [machine(), machine()];
    await markUnderWay(one, 'prune', 'p', async () => {
      expect(await othersUnderWay(other, 'prune')).toBe(true);
      expect(await othersUnderWay(one, 'prune')).toBe(true);
      expect(await othersUnderWay(other, 'backup')).toBe(false);
      await expect(waitUntilNoneUnderWay(other, 'prune', 0)).rejects.toMatchObject({ code: 'BACKUP_BUSY' });
    });
    expect(await othersUnderWay(other, 'prune')).toBe(false);
  });

  it('is taken back where the work fails', async () => {
    const one = machine();
    await expect(markUnderWay(one, 'backup', 'b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await othersUnderWay(machine(), 'backup')).toBe(false);
  });

  it('lets nobody of the same home do the same', async () => {
    const one = machine();
    await markUnderWay(one, 'backup', 'b', async () => {
      await expect(markUnderWay(one, 'backup', 'c', () => Promise.resolve())).rejects.toMatchObject({
        code: 'BACKUP_BUSY',
      });
    });
  });

  it('that a killed process of the home left stops nobody of it', async () => {
    const one = machine();
    await one.store.put(storeNames(install).underWay('prune', 'dead'), Buffer.from(''));
    writeFileSync(join(one.home.paths.backup, 'prune-mark'), 'dead');
    expect(await othersUnderWay(machine(), 'prune')).toBe(true);
    expect(await othersUnderWay(one, 'prune')).toBe(false);
    expect(await othersUnderWay(machine(), 'prune')).toBe(false);
  });

  it('that nobody renews is one of a dead process', async () => {
    const name = storeNames(install).underWay('backup', 'dead');
    const one = machine();
    await one.store.put(name, Buffer.from(''));
    utimesSync(join(folder, name), (now - 2 * HOUR) / 1000, (now - 2 * HOUR) / 1000);
    expect(await othersUnderWay(one, 'backup')).toBe(false);
  });

  it('that could not be renewed in time counts for nothing, and who made it is told', async () => {
    await markUnderWay(machine(), 'backup', 'b', (mark) => {
      mark.requireUnbroken();
      now += 2 * HOUR;
      expect(() => mark.requireUnbroken()).toThrow('stood still for so long');
      return Promise.resolve();
    });
  });
});
