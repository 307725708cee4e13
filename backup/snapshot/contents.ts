import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { WardlineError } from '../../core/errors/errors.ts';
import { contentName, storeNames } from '../naming.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { encryptTo } from '../recipients/age-file.ts';
import type { ContentJournal, StoredContent } from './content-journal.ts';
import type { SnapshotFile } from './node.ts';

/** A file's own hash, and the object that holds it. */
export interface FileContent extends StoredContent {
  readonly sha256: string;
  /** Bytes that had to be sent; 0 where the store had the content. */
  readonly sent: number;
}

export interface ContentStoreParts {
  readonly store: ObjectStore;
  readonly install: string;
  readonly recipients: readonly string[];
  readonly namingKey: Uint8Array;
  readonly journal: ContentJournal;
}

/** What is read whole is encrypted without being read twice. */
const SMALL_FILE = 4 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;

/**
 * Stores a file's content once: under a name that its hash gives, encrypted to the recipients. What the journal knows to
 * be stored is not sent again, as long as the store still has it with its size. A file that was not changed since it was
 * last stored is not even read. Throws STORE_… errors, and INTERNAL where the file changes while it is read.
 */
export async function storeContent(file: SnapshotFile, parts: ContentStoreParts): Promise<FileContent> {
  const { journal, namingKey, recipients, store, install } = parts;
  const whole = file.bytes <= SMALL_FILE ? await knownOrWhole(file, journal) : undefined;
  const sha256 = whole?.sha256 ?? journal.fileHash(file.identity) ?? (await hashOf(file.path));
  const object = contentName(namingKey, sha256, recipients);
  const place = storeNames(install).content(object);
  const known = journal.stored(object);
  if (known !== undefined && (await store.stat(place))?.bytes === known.encryptedBytes) {
    journal.keepFile(file.identity, sha256);
    return { ...known, sha256, sent: 0 };
  }
  let [clear, encrypted] = [createHash('sha256'), createHash('sha256')];
  // A store that fails is sent the content anew, encrypted anew: the hashes are those of what it took in the end.
  const body = (): AsyncIterable<Uint8Array> => {
    [clear, encrypted] = [createHash('sha256'), createHash('sha256')];
    const bytes = whole?.bytes ? only(whole.bytes) : contentOf(file.path);
    return through(encrypted, encryptTo(recipients, through(clear, bytes)));
  };
  const encryptedBytes = await store.put(place, body);
  if (clear.digest('hex') !== sha256)
    throw new WardlineError('INTERNAL', `${file.path} changed while it was being stored`);
  const content = { object, encryptedBytes, encryptedSha256: encrypted.digest('hex') };
  journal.keepStored(content);
  journal.keepFile(file.identity, sha256);
  return { ...content, sha256, sent: encryptedBytes };
}

/** A small file is in memory once, to be hashed and encrypted. */
async function knownOrWhole(
  file: SnapshotFile,
  journal: ContentJournal,
): Promise<{ readonly sha256: string; readonly bytes?: Uint8Array } | undefined> {
  const sha256 = journal.fileHash(file.identity);
  if (sha256 !== undefined) return { sha256 };
  const bytes = await readFile(file.path);
  return { bytes, sha256: hash('sha256', bytes, 'hex') };
}

async function hashOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const part of contentOf(path)) digest.update(part);
  return digest.digest('hex');
}

function contentOf(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: READ_BYTES });
}

async function* through(
  digest: ReturnType<typeof createHash>,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    digest.update(part);
    yield part;
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
