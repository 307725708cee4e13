import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { S3Place } from './s3-client.ts';

/** Aborts the uploads in parts that began before `before`, in milliseconds since the epoch, and returns how many. */
export async function abortUploads({ client, bucket, prefix }: S3Place, before: number): Promise<number> {
  const target = { Bucket: bucket };
  let removed = 0;
  let next: { readonly KeyMarker: string | undefined; readonly UploadIdMarker: string | undefined } | undefined;
  do {
    const page = await client.send(new ListMultipartUploadsCommand({ ...target, Prefix: prefix, ...next }));
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Initiated === undefined || Initiated.getTime() >= before) continue;
      await client.send(new AbortMultipartUploadCommand({ ...target, Key, UploadId }));
      removed += 1;
    }
    next =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined;
  } while (next !== undefined);
  return removed;
}
