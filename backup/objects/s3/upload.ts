import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, PutObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { WardlineError } from '../../../core/errors/errors.ts';
import { readBody, type ObjectBody } from '../object-store.ts';
import { asS3Error } from './s3-errors.ts';
import type { S3Place } from './s3-client.ts';

/** A store takes 10,000 parts, so no object is larger than 80 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
const MOST_BYTES = 10_000 * PART_BYTES;
/** Of one object; memory is this many parts and the one that is being read. */
const PARTS_AT_ONCE = 2;

/**
 * Sends an object, in one request where it is small and else in parts that become an object only once all are there, each
 * with its SHA-256, which the store checks. A failure takes the parts back. Resolves with the size once the store has
 * confirmed it; errors as of `ObjectStore.put`.
 */
export async function upload(
  place: S3Place,
  key: string,
  body: ObjectBody,
  retention: Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate'>,
): Promise<number> {
  const target = { Bucket: place.bucket, Key: key };
  const input = { ...target, ...retention, ChecksumAlgorithm: 'SHA256' as const };
  if (body instanceof Uint8Array && body.length <= PART_BYTES) {
    const stored = await place.client.send(new PutObjectCommand({ ...input, Body: body })).catch((error: unknown) => {
      throw asS3Error(error, place.address);
    });
    if (stored.ChecksumSHA256 === hash('sha256', body, 'base64')) return body.length;
    return requireSize(place, target, body.length);
  }
  const reading = readBody(body);
  try {
    const params = { ...input, Body: Readable.from(limited(reading.stream), { objectMode: false }) };
    await new Upload({ client: place.client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done();
  } catch (error) {
    throw reading.failure(() => asS3Error(error, place.address));
  }
  return requireSize(place, target, reading.bytes);
}

async function* limited(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of stream) {
    bytes += part.length;
    if (bytes > MOST_BYTES)
      throw new WardlineError('STORE_REFUSED', `an object of more than ${MOST_BYTES} bytes fits no S3 store`);
    yield part;
  }
}

/** For stores that do not repeat the checksum, and for parts, whose checksum is one of checksums. */
async function requireSize(
  { client, address }: S3Place,
  target: { readonly Bucket: string; readonly Key: string },
  bytes: number,
): Promise<number> {
  const found = await client.send(new HeadObjectCommand(target)).catch((error: unknown) => {
    throw asS3Error(error, address);
  });
  if (found.ContentLength !== bytes)
    throw new WardlineError('STORE_UNREACHABLE', `${address} did not keep all bytes of ${target.Key}`, {
      hint: 'somebody else may be writing the same object; try again',
    });
  return bytes;
}
