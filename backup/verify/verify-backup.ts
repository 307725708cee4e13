import { createHash } from 'node:crypto';
import { forEachOf } from '../../core/async/for-each.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { readShelf, type ManifestShelf } from '../manifest/stored-manifests.ts';
import { storeNames } from '../naming.ts';

/** What is wrong with a stored object, and which backups need it. */
export interface ObjectFinding {
  readonly kind: 'missing' | 'size' | 'changed' | 'unreadable';
  /** Its name in the store. */
  readonly name: string;
  readonly object: string;
  /** For people: what was expected and what was found. */
  readonly message: string;
  /** Files that it holds, as `keyspace.table/file`, of the backup that was verified. */
  readonly files: readonly string[];
  /** Every backup that cannot be restored whole without it. */
  readonly backups: readonly string[];
}

export interface VerifiedBackup {
  readonly id: string;
  readonly objects: number;
  readonly bytes: number;
  /** Whether every byte was read, or sizes compared. */
  readonly dataRead: boolean;
  readonly findings: readonly ObjectFinding[];
}

export interface VerifyOptions {
  readonly readData: boolean;
  /** Objects that are checked at once. */
  readonly parallel: number;
  readonly onProgress?: (objects: number, of: number) => void;
}

/**
 * Checks that the store has every object of a backup, whose manifest was proved when it was read: with its size, and with
 * `readData` with every byte. Needs no identity. An object may have been encrypted anew since the manifest was written,
 * because it was damaged; so any hash counts that a proved manifest of the installation states for it.
 */
export async function verifyBackup(
  shelf: ManifestShelf,
  manifest: Manifest,
  { readData, parallel, onProgress }: VerifyOptions,
): Promise<VerifiedBackup> {
  const wanted = new Map<string, { bytes: number; files: string[] }>();
  for (const { object, encryptedBytes, keyspace, table, name } of manifest.files) {
    const entry = wanted.get(object) ?? { bytes: encryptedBytes, files: [] };
    entry.files.push(`${keyspace}.${table}/${name}`);
    wanted.set(object, entry);
  }
  const faults = new Map<string, Pick<ObjectFinding, 'kind' | 'message'>>();
  const hashes = readData ? await acceptedHashes(shelf, manifest) : new Map<string, Set<string>>();
  let checked = 0;
  await forEachOf(wanted, parallel, async ([object, { bytes }]) => {
    const fault = await faultOf(shelf, object, bytes, readData ? (hashes.get(object) ?? new Set()) : undefined);
    if (fault !== undefined) faults.set(object, fault);
    onProgress?.((checked += 1), wanted.size);
  });
  const backups = faults.size === 0 ? new Map<string, string[]>() : await backupsThatNeed(shelf, faults);
  const names = storeNames(shelf.install);
  return {
    id: manifest.id,
    objects: wanted.size,
    bytes: [...wanted.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    dataRead: readData,
    findings: [...faults]
      .map(([object, fault]) => ({
        ...fault,
        ...{ object, name: names.content(object) },
        files: wanted.get(object)?.files ?? [],
        backups: backups.get(object) ?? [manifest.id],
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

async function faultOf(
  { store, install }: ManifestShelf,
  object: string,
  bytes: number,
  accepted: ReadonlySet<string> | undefined,
): Promise<Pick<ObjectFinding, 'kind' | 'message'> | undefined> {
  const name = storeNames(install).content(object);
  const found = await store.stat(name);
  if (found === undefined) return { kind: 'missing', message: 'the object is gone' };
  if (found.bytes !== bytes)
    return { kind: 'size', message: `the object has ${found.bytes} bytes instead of ${bytes}` };
  if (accepted === undefined) return undefined;
  try {
    const digest = createHash('sha256');
    for await (const part of store.get(name)) digest.update(part);
    if (accepted.has(digest.digest('hex'))) return undefined;
    return { kind: 'changed', message: 'the object has other bytes than were stored' };
  } catch (error) {
    const trouble = asWardlineError(error);
    // A store that cannot be asked says nothing about its objects.
    if (trouble.retryable) throw trouble;
    return { kind: 'unreadable', message: trouble.message };
  }
}

async function acceptedHashes(shelf: ManifestShelf, manifest: Manifest): Promise<Map<string, Set<string>>> {
  const wanted = new Set(manifest.files.map(({ object }) => object));
  const hashes = new Map<string, Set<string>>([...wanted].map((object) => [object, new Set()]));
  const take = ({ files }: Manifest): void => {
    for (const { object, encryptedSha256 } of files) hashes.get(object)?.add(encryptedSha256);
  };
  take(manifest);
  for await (const { manifest: other } of readShelf(shelf)) if (other !== undefined) take(other);
  return hashes;
}

async function backupsThatNeed(
  shelf: ManifestShelf,
  objects: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<string, string[]>> {
  const backups = new Map<string, string[]>([...objects.keys()].map((object) => [object, []]));
  for await (const { id, manifest } of readShelf(shelf))
    for (const object of new Set(manifest?.files.map((file) => file.object))) backups.get(object)?.push(id);
  return backups;
}
