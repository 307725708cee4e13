import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveWriter, INSTALL, message, TOPIC } from '../../test/support/backup/archive-writer.ts';
import { scratch } from '../../test/support/scratch.ts';
import { folderStore } from '../objects/folder-store.ts';
import { measureRpo } from './measure-rpo.ts';

const files = scratch();

async function measured(folder: string, archive: (write: () => Promise<unknown>) => void, patience = 5000) {
  const store = folderStore(join(files.folder, folder));
  const writer = await archiveWriter(store);
  await writer.write([message(0, 0)]);
  return measureRpo({
    ...{ store, install: INSTALL, trusted: writer.trusted, topic: TOPIC, patience },
    append() {
      archive(() => writer.write([message(0, 1)]));
      return Promise.resolve();
    },
    high: () => Promise.resolve(new Map([[0, 2]])),
  });
}

describe('the RPO', () => {
  it('is the time until the archive holds what was acknowledged', async () => {
    const seconds = await measured('late', (write) => setTimeout(() => void write(), 700));
    expect(seconds).toBeGreaterThanOrEqual(0.6);
    expect(seconds).toBeLessThan(5);
  });

  it('cannot be told where the archive does not follow', async () => {
    expect(await measured('never', () => undefined, 300)).toBeUndefined();
  });
});
