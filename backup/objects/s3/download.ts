import type { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { S3Place } from './s3-client.ts';
import { asS3Error, nameOf } from './s3-errors.ts';

const PARTIAL = 206;

/**
 * An object's bytes, all of one version of it. A connection that breaks off is taken up again from where it broke, as long
 * as that leads on; then STORE_UNREACHABLE. Bytes that do not have the checksum that the store keeps of them are
 * OBJECT_DAMAGED, once all are read. Never ends early.
 */
export async function* download(
  place: S3Place,
  key: string,
  notFound: () => WardlineError,
): AsyncGenerator<Uint8Array> {
  let version: string | undefined;
  let bytes: number | undefined;
  for (let at = 0, from = 0; ; from = at) {
    try {
      const found = await request(place, key, at, version);
      version ??= found.ETag;
      bytes ??= found.ContentLength;
      for await (const part of found.Body as Readable) {
        at += (part as Buffer).length;
        yield part as Buffer;
      }
      if (bytes === undefined || at === bytes) return;
      throw brokenOff(place, key);
    } catch (error) {
      if (nameOf(error) === 'NoSuchKey') throw notFound();
      const failure = isMismatch(error) ? damaged(place, key, error) : asS3Error(error, place.address);
      const canResume = failure.code === 'STORE_UNREACHABLE' && version !== undefined && at > from;
      if (!canResume) throw failure;
    }
  }
}

async function request(
  { client, bucket, address }: S3Place,
  key: string,
  at: number,
  version: string | undefined,
): Promise<GetObjectCommandOutput> {
  const target = { Bucket: bucket, Key: key };
  if (at === 0) return client.send(new GetObjectCommand({ ...target, ChecksumMode: 'ENABLED' }));
  const found = await client.send(new GetObjectCommand({ ...target, Range: `bytes=${at}-`, IfMatch: version }));
  if (found.$metadata.httpStatusCode !== PARTIAL || found.ContentRange?.startsWith(`bytes ${at}-`) !== true)
    throw new WardlineError('STORE_REFUSED', `${address} does not give a part of ${key}`, {
      hint: 'the server does not support ranges, which S3 asks for',
    });
  return found;
}

function brokenOff({ address }: S3Place, key: string): WardlineError {
  return new WardlineError('STORE_UNREACHABLE', `${address} broke off in ${key}`, { hint: 'try again' });
}

/** The SDK's comparison with the checksum in the store's answer has no code. */
function isMismatch(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Checksum mismatch');
}

function damaged({ address }: S3Place, key: string, cause: unknown): WardlineError {
  return new WardlineError('OBJECT_DAMAGED', `${key} in ${address} is not what was stored`, {
    hint: 'see what is damaged: wardline backup verify latest',
    cause,
  });
}
