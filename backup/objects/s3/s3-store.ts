import { DeleteObjectCommand, HeadBucketCommand, HeadObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { objectNotFound, requireName, type ObjectStore } from '../object-store.ts';
import { download } from './download.ts';
import type { S3Place } from './s3-client.ts';
import { asS3Error, nameOf, statusOf } from './s3-errors.ts';
import { abortUploads } from './unfinished.ts';
import { createUpload } from './upload.ts';

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/**
 * Objects in a bucket of an S3 server, each locked in governance mode for `lockDays` days from when it is written (0: not
 * at all). Where the bucket keeps versions, as one with object lock does, what is removed or replaced is no longer there
 * for this store, and yet the bucket keeps it as a former version, at least until its lock ends.
 */
export function s3Store(place: S3Place, lockDays = 0): ObjectStore {
  const { client, bucket: Bucket, prefix, address } = place;
  const upload = createUpload(place);
  const keyOf = (name: string): string => {
    requireName(name);
    return prefix + name;
  };
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asS3Error(error, address);
    }
  };
  const retention = () =>
    lockDays === 0
      ? {}
      : {
          ObjectLockMode: 'GOVERNANCE' as const,
          ObjectLockRetainUntilDate: new Date(Date.now() + lockDays * DAY_MILLISECONDS),
        };
  /** A missing bucket and a missing object look alike to those who ask for an object's head. */
  const requireBucket = async (): Promise<void> => {
    await client.send(new HeadBucketCommand({ Bucket })).catch((error: unknown) => {
      if (statusOf(error) === 404) throw Object.assign(error as Error, { name: 'NoSuchBucket' });
    });
  };

  return {
    address,
    put: async (name, body) => upload(keyOf(name), body, retention()),
    async *get(name) {
      yield* download(place, keyOf(name), () => objectNotFound({ address }, name));
    },
    async stat(name) {
      const Key = keyOf(name);
      return asked(async () => {
        try {
          const { ContentLength, LastModified } = await client.send(new HeadObjectCommand({ Bucket, Key }));
          return { name, bytes: ContentLength ?? 0, modified: LastModified?.getTime() ?? 0 };
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
          await requireBucket();
          return undefined;
        }
      });
    },
    async *list(wanted) {
      try {
        for await (const { Contents } of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix + wanted }))
          for (const { Key, Size, LastModified } of Contents ?? [])
            if (Key !== undefined)
              yield { name: Key.slice(prefix.length), bytes: Size ?? 0, modified: LastModified?.getTime() ?? 0 };
      } catch (error) {
        throw asS3Error(error, address);
      }
    },
    async remove(name) {
      const Key = keyOf(name);
      await asked(async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key })).catch((error: unknown) => {
          if (nameOf(error) !== 'NoSuchKey') throw error;
        });
      });
    },
    removeUnfinished: (before) => asked(() => abortUploads(place, before)),
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}
