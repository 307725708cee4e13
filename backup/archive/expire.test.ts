import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  archiveWriter,
  INSTALL,
  message,
  TOPIC,
  type ArchiveWriter,
} from '../../test/support/backup/archive-writer.ts';
import { scratch } from '../../test/support/scratch.ts';
import { folderStore } from '../objects/folder-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { expireArchive } from './expire.ts';
import { readArchive } from './read/read-archive.ts';

const files = scratch();
let made = 0;
let store: ObjectStore;
let writer: ArchiveWriter;

beforeEach(async () => {
  store = folderStore(join(files.folder, String((made += 1))));
  writer = await archiveWriter(store);
  for (let offset = 0; offset < 5; offset += 1) await writer.write([message(0, offset), message(1, offset)]);
});

const expire = (offset: number, dryRun = false) =>
  expireArchive({
    ...{ store, install: INSTALL, topic: TOPIC, verify: writer.trusted, dryRun },
    before: message(0, offset).timestamp,
  });

async function offsets(): Promise<number[]> {
  const found: number[] = [];
  const options = { store, install: INSTALL, topic: TOPIC, identities: [writer.identity], verify: writer.trusted };
  for await (const messages of readArchive(options)) found.push(...messages.map(({ offset }) => offset));
  return found.filter((_offset, index) => index % 2 === 0);
}

describe('an archive of which no backup needs the beginning', () => {
  it('loses the chunks that are older as a whole, and can be read from there on', async () => {
    const removed = await expire(2);
    expect(removed.chunks).toBe(2);
    expect(removed.bytes).toBeGreaterThan(0);
    expect(await offsets()).toEqual([2, 3, 4]);
    expect(await expire(2)).toEqual({ chunks: 0, bytes: 0 });
  });

  it('loses nothing in a rehearsal', async () => {
    expect((await expire(2, true)).chunks).toBe(2);
    expect(await offsets()).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps its last chunk, however old that is', async () => {
    expect((await expire(100)).chunks).toBe(4);
    expect(await offsets()).toEqual([4]);
  });
});
