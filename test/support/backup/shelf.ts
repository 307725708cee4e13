import { hash, randomUUID } from 'node:crypto';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../../backup/manifest/manifest.ts';
import { signManifest } from '../../../backup/manifest/signed-manifest.ts';
import { newBackupId, storeNames } from '../../../backup/naming.ts';
import { folderStore } from '../../../backup/objects/folder-store.ts';
import type { ObjectStore } from '../../../backup/objects/object-store.ts';
import { testSigner, type TestSigner } from './archive-writer.ts';

/** A store in a folder with backups that consist of manifests and small objects. */
export interface TestShelf extends TestSigner {
  readonly store: ObjectStore;
  readonly install: string;
  readonly folder: string;
  /** Stores an object as it would have been at `time` (milliseconds since the epoch) and returns what manifests name it by. */
  object(content: string, time: number): Promise<string>;
  /** Stores a manifest of a backup that was taken at `time`, and returns it. */
  backup(time: number, objects: readonly string[], more?: Partial<Manifest>): Promise<Manifest>;
  /** Makes an object of any kind as old as that. */
  age(name: string, time: number): void;
}

export function testShelf(parent: string, install = 'install-of-a-test'): TestShelf {
  const folder = join(parent, randomUUID());
  const store = folderStore(folder);
  const signer = testSigner();
  const names = storeNames(install);
  const age = (name: string, time: number): void => utimesSync(join(folder, name), time / 1000, time / 1000);
  return {
    ...{ ...signer, store, install, folder, age },
    async object(content, time) {
      const object = hash('sha256', content, 'hex');
      await store.put(names.content(object), Buffer.from(content));
      age(names.content(object), time);
      return object;
    },
    async backup(time, objects, more = {}) {
      const manifest = { ...testManifest(install, time, objects), ...more };
      await store.put(names.manifest(manifest.id), Buffer.from(signManifest(manifest, signer.key)));
      age(names.manifest(manifest.id), time);
      return manifest;
    },
  };
}

/** A manifest of a backup that was taken at `time` and needs these objects. */
export function testManifest(install: string, time: number, objects: readonly string[]): Manifest {
  const at = new Date(time).toISOString();
  return {
    ...{ format: 1, id: newBackupId(time), install, startedAt: at, snapshotAt: at, completedAt: at },
    ...{ beforeRestore: false, recipients: [], checkpoint: null, contracts: [] },
    kafka: { topics: [], groups: [], acls: [] },
    cassandra: { clusterName: 'c', partitioner: 'p', nodes: [], keyspaces: [], roles: [], grants: [] },
    files: objects.map((object, index) => ({
      ...{ node: 'n', keyspace: 'k', table: 't', name: `da-${index}-bti-Data.db`, bytes: 1, sha256: '0'.repeat(64) },
      ...{ encryptedBytes: 1, encryptedSha256: '0'.repeat(64), object },
    })),
  };
}
