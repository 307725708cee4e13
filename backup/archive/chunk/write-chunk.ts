import { createHash, hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { SigningKey } from '../../../audit/signature/signing-key.ts';
import type { Clock } from '../../../core/clock.ts';
import { storeNames } from '../../naming.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { encryptBytes } from '../../recipients/age-file.ts';
import { ARCHIVE_FORMAT, sealHash, signSeal, type ChunkRange, type PartitionEnd } from './seal.ts';

/** What a chunk is made of. */
export interface ChunkContent {
  /** See encodeFrame; at least one. */
  readonly frames: readonly Buffer[];
  readonly ranges: readonly ChunkRange[];
  readonly ends: readonly PartitionEnd[];
}

/** Where a topic's chain of chunks ends; `sequence` is the next one's. */
export interface ChainEnd {
  readonly sequence: number;
  readonly previous: string | null;
}

export interface ChunkWriter {
  readonly store: ObjectStore;
  readonly install: string;
  readonly recipients: readonly string[];
  readonly key: SigningKey;
  readonly clock: Clock;
  /** Calls the work again for as long as it fails with what may pass. */
  readonly retry: <T>(work: () => Promise<T>) => Promise<T>;
}

const compress = promisify(zstdCompress);
/** Of the levels, the one that costs the pipeline beside it least. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * Writes a chunk, and once the store has it, its seal: a chunk without one counts for nothing. Returns where the chain
 * then ends. The seal is made once: where it may have reached the store, nothing else may stand under its name.
 */
export async function writeChunk(
  { store, install, recipients, key, clock, retry }: ChunkWriter,
  topic: string,
  { sequence, previous }: ChainEnd,
  { frames, ranges, ends }: ChunkContent,
): Promise<ChainEnd> {
  const names = storeNames(install);
  const clear = createHash('sha256');
  for (const frame of frames) clear.update(frame);
  const object = await encryptBytes(recipients, await compress(Buffer.concat(frames), COMPRESSION));
  const seal = signSeal(
    {
      ...{ format: ARCHIVE_FORMAT, install, topic, sequence, previous },
      ranges: [...ranges],
      ends: [...ends],
      ...{ bytes: frames.reduce((sum, { length }) => sum + length, 0), sha256: clear.digest('hex') },
      ...{ encryptedBytes: object.length, encryptedSha256: hash('sha256', object, 'hex') },
      writtenAt: clock.now(),
    },
    key,
  );
  await retry(() => store.put(names.chunk(topic, sequence), object));
  await retry(() => store.put(names.chunkSeal(topic, sequence), seal));
  return { sequence: sequence + 1, previous: sealHash(seal) };
}
