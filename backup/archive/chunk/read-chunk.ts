import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { storeNames } from '../../naming.ts';
import { readObject, type ObjectStore } from '../../objects/object-store.ts';
import { decryptBytes } from '../../recipients/age-file.ts';
import { asWardlineError } from '../../../core/errors/errors.ts';
import { decodeFrames } from './frame.ts';
import type { TopicMessage } from './message.ts';
import { damaged, type ChunkRange, type ChunkSeal } from './seal.ts';

const decompress = promisify(zstdDecompress);
/** The smallest that zlib takes. */
const LEAST_BUFFER = 64;

/**
 * The object of a chunk, whole, as stored: what can be known of it without an identity is checked. Throws BACKUP_DAMAGED
 * naming it where it is not the one that the seal names.
 */
export async function chunkObject(store: Pick<ObjectStore, 'get'>, seal: ChunkSeal): Promise<Buffer> {
  const name = nameOf(seal);
  const object = await readObject(store, name, seal.encryptedBytes).catch((error: unknown) => {
    const { code } = asWardlineError(error);
    if (code === 'OBJECT_NOT_FOUND') throw damaged(name, 'is missing', error);
    if (code === 'OBJECT_DAMAGED') throw damaged(name, 'is larger than its seal says', error);
    throw error;
  });
  if (object.length !== seal.encryptedBytes)
    throw damaged(name, `has ${object.length} bytes instead of ${seal.encryptedBytes}`);
  if (hash('sha256', object, 'hex') !== seal.encryptedSha256) throw damaged(name, 'is not what was stored');
  return object;
}

/**
 * The messages of a chunk, in the order in which they were archived, out of its object (see chunkObject). Checks, in this
 * order: that it decrypts, that its content is what the seal names, that its messages are those of the seal's ranges.
 * Throws BACKUP_DAMAGED naming the object, IDENTITY_WRONG where no identity opens it.
 */
export async function openChunk(
  object: Buffer,
  seal: ChunkSeal,
  identities: readonly string[],
): Promise<readonly TopicMessage[]> {
  const name = nameOf(seal);
  const clear = await decryptBytes(identities, object)
    // Into one buffer, a little larger so that zlib does not begin a second: in pieces it would be there twice for a moment.
    .then((compressed) => decompress(compressed, { maxOutputLength: seal.bytes, chunkSize: seal.bytes + LEAST_BUFFER }))
    .catch((error: unknown) => {
      if (asWardlineError(error).code === 'IDENTITY_WRONG') throw error;
      throw damaged(name, 'does not decrypt', error);
    });
  if (clear.length !== seal.bytes || hash('sha256', clear, 'hex') !== seal.sha256)
    throw damaged(name, 'holds other messages than its seal says');
  const messages = decodeFrames(clear);
  for (const range of seal.ranges) requireRange(messages, range, name);
  if (messages.length !== seal.ranges.reduce((sum, { count }) => sum + count, 0))
    throw damaged(name, 'holds messages that its seal does not name');
  return messages;
}

function nameOf({ install, topic, sequence }: ChunkSeal): string {
  return storeNames(install).chunk(topic, sequence);
}

function requireRange(messages: readonly TopicMessage[], range: ChunkRange, name: string): void {
  const found = messages.filter(({ partition }) => partition === range.partition);
  const inOrder = found.every(({ offset }, index) => offset > (found[index - 1]?.offset ?? range.from - 1));
  if (found.length === range.count && inOrder && (found.at(-1)?.offset ?? 0) === range.to - 1) return;
  throw damaged(name, `holds other messages of partition ${range.partition} than its seal says`);
}
