import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createSemaphore } from '../../../core/async/semaphore.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { readBody, type ObjectBody } from '../object-store.ts';
import { asS3Error } from './s3-errors.ts';
import type { S3Place } from './s3-client.ts';

/** A store takes 10,000 parts, so no object is larger than 80 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
const MOST_BYTES = 10_000 * PART_BYTES;
/** Of one object. Memory is some four parts for each object that is uploaded in parts, and one for each that waits. */
const PARTS_AT_ONCE = 2;
const OBJECTS_IN_PARTS_AT_ONCE = 2;

type Target = Required<Pick<PutObjectCommandInput, 'Bucket' | 'Key'>>;
type Retention = Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate'>;

/**
 * What puts objects into a bucket: each in one request where it is small, and else in parts that become an object only
 * once all are there; with their SHA-256, which the store checks. A failure takes the parts back. Resolves with the size
 * once the store has confirmed it; errors as of `ObjectStore.put`.
 */
export function createUpload(place: S3Place) {
  const { client, bucket, address } = place;
  const places = createSemaphore(OBJECTS_IN_PARTS_AT_ONCE);

  const putWhole = async (input: PutObjectCommandInput & Target, bytes: Uint8Array): Promise<void> => {
    const { ChecksumSHA256 } = await client.send(new PutObjectCommand({ ...input, Body: bytes }));
    // A store that does not repeat the checksum may not have looked at it.
    if (ChecksumSHA256 !== hash('sha256', bytes, 'base64')) await requireSize(place, input, bytes.length);
  };
  const putParts = async (input: PutObjectCommandInput & Target, parts: AsyncIterable<Uint8Array>): Promise<void> => {
    const release = await places.acquire();
    try {
      const params = { ...input, Body: Readable.from(parts, { objectMode: false }) };
      await new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done();
    } finally {
      release();
    }
  };

  return async (key: string, body: ObjectBody, retention: Retention): Promise<number> => {
    const input = { Bucket: bucket, Key: key, ...retention, ChecksumAlgorithm: 'SHA256' as const };
    const reading = readBody(body);
    const parts = reading.stream[Symbol.asyncIterator]();
    try {
      const { first, more } = await firstPart(parts);
      if (more) {
        await putParts(input, following(first, parts));
        await requireSize(place, input, reading.bytes);
      } else await putWhole(input, Buffer.concat(first));
      return reading.bytes;
    } catch (error) {
      throw reading.failure(() => asS3Error(error, address));
    } finally {
      await parts.return?.();
    }
  };
}

/** The beginning of a body, and whether there may be more than fits one part. */
async function firstPart(parts: AsyncIterator<Uint8Array>): Promise<{ first: Uint8Array[]; more: boolean }> {
  const first: Uint8Array[] = [];
  for (let bytes = 0; bytes <= PART_BYTES;) {
    const next = await parts.next();
    if (next.done === true) return { first, more: false };
    first.push(next.value);
    bytes += next.value.length;
  }
  return { first, more: true };
}

async function* following(first: Uint8Array[], parts: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const counted = (part: Uint8Array): Uint8Array => {
    bytes += part.length;
    if (bytes <= MOST_BYTES) return part;
    throw new WardlineError('STORE_REFUSED', `an object of more than ${MOST_BYTES} bytes fits no S3 store`);
  };
  for (let part = first.shift(); part !== undefined; part = first.shift()) yield counted(part);
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) yield counted(next.value);
}

/** The checksum of an object in parts is one of checksums; each part's was checked when it came. */
async function requireSize({ client, address }: S3Place, { Bucket, Key }: Target, bytes: number): Promise<void> {
  const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key }));
  if (ContentLength === bytes) return;
  throw new WardlineError('STORE_UNREACHABLE', `${address} did not keep all bytes of ${Key}`, {
    hint: 'somebody else may be writing the same object; try again',
  });
}
