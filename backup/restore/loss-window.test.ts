import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveWriter, INSTALL, life, message, TOPIC } from '../../test/support/backup/archive-writer.ts';
import { scratch } from '../../test/support/scratch.ts';
import { storeNames } from '../naming.ts';
import { folderStore } from '../objects/folder-store.ts';
import { lossWindow } from './loss-window.ts';

const files = scratch();
const time = (offset: number): number => message(0, offset).timestamp;

async function store(name: string) {
  const made = folderStore(join(files.folder, name));
  const writer = await archiveWriter(made);
  await writer.write([message(0, 0), message(0, 1000)]);
  await writer.write([message(1, 2000)]);
  // Of the topic that took the lost one's place.
  await writer.write([message(0, 9000, life(1))]);
  await made.put(storeNames(INSTALL).archivedTopic(TOPIC), Buffer.alloc(0));
  return { store: made, install: INSTALL, verify: writer.trusted };
}

describe('what a loss can have taken', () => {
  it('is what lies between the end of the archive and the last sign of life', async () => {
    const window = await lossWindow(await store('known'), time(4500), { before: time(8000), chunkSeconds: 5 });
    expect(window).toEqual({ archivedUntil: time(2000), lastSign: time(4500), seconds: 2.5 });
  });

  it('is nothing where the archive reaches further than any sign of life', async () => {
    const window = await lossWindow(await store('all'), time(1500), { before: time(8000), chunkSeconds: 5 });
    expect(window.seconds).toBe(0);
  });

  it('is unknown where nothing is archived, or nobody saw the servers work', async () => {
    const archive = await store('unknown');
    const bounds = { before: time(8000), chunkSeconds: 5 };
    expect((await lossWindow(archive, undefined, bounds)).seconds).toBeUndefined();
    expect((await lossWindow({ ...archive, install: 'another' }, time(4500), bounds)).seconds).toBeUndefined();
  });
});
