import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotFile, SnapshotNode } from '../../../backup/snapshot/node.ts';

/** A node whose files, all of one table, are those of a folder. */
export function folderNode(disk: string, id: string, onStep: (step: string) => void = () => undefined): SnapshotNode {
  const step = (name: string): Promise<void> => {
    onStep(name);
    return Promise.resolve();
  };
  return {
    idAmong: (nodes) => Promise.resolve(nodes.find((node) => node === id)),
    take: () => step('take'),
    async *files() {
      for (const name of readdirSync(disk)) {
        const path = join(disk, name);
        const { size, ino, mtimeMs } = statSync(path);
        const identity = `${name}:${ino}:${size}:${mtimeMs}`;
        const file: SnapshotFile = { keyspace: 'ks', table: 't', name, path, bytes: size, identity };
        yield await Promise.resolve(file);
      }
    },
    clearAll: () => step('clear'),
  };
}
