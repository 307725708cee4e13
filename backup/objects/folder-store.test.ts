import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../test/support/scratch.ts';
import { objectStoreBehaviour } from '../../test/support/backup/object-store-behaviour.ts';
import { folderStore } from './folder-store.ts';

const { folder } = scratch();
let stores = 0;

objectStoreBehaviour('a folder', () => folderStore(join(folder, String((stores += 1)))));

describe('a folder on a full disk', () => {
  // A file system of 256 KiB, in a namespace of its own, which needs no privilege where the kernel allows that.
  const inSmallDisk = (script: string): string =>
    execFileSync(
      'unshare',
      [
        '--user',
        '--map-root-user',
        '--mount',
        'sh',
        '-c',
        'mount -t tmpfs -o size=256k tmpfs "$1" && exec "$2" --input-type=module -e "$3"',
      ].concat('sh', folder, process.execPath, script),
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
  const possible = (): boolean => {
    try {
      return inSmallDisk('console.log(1)') === '1\n';
    } catch {
      return false;
    }
  };

  it.runIf(possible())('says so, keeps what is there, and leaves nothing behind', () => {
    const module = JSON.stringify(join(import.meta.dirname, 'folder-store.ts'));
    const said = inSmallDisk(`
      import { readdirSync } from 'node:fs';
      import { folderStore } from ${module};
      const store = folderStore(${JSON.stringify(join(folder, 'store'))});
      await store.put('x', Buffer.from('former'));
      const code = await store.put('x', Buffer.alloc(500_000)).catch(({ code }) => code);
      const left = readdirSync(${JSON.stringify(join(folder, 'store'))});
      let read = '';
      for await (const part of store.get('x')) read += part;
      const later = await store.put('y', Buffer.alloc(100_000));
      console.log(JSON.stringify({ code, left, read, later }));
    `);
    expect(JSON.parse(said)).toEqual({ code: 'STORE_FULL', left: ['x'], read: 'former', later: 100_000 });
  });
});
