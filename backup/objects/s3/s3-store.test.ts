import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { GO_BUILD_MILLISECONDS } from '../../../test/support/backup/go-tool.ts';
import { objectStoreBehaviour } from '../../../test/support/backup/object-store-behaviour.ts';
import { startS3Server, type S3Server } from '../../../test/support/backup/s3-server.ts';
import { s3Place } from './s3-client.ts';
import { s3Store } from './s3-store.ts';

let server: S3Server;
let buckets = 0;

beforeAll(async () => {
  server = await startS3Server();
  Object.assign(process.env, server.credentials);
}, GO_BUILD_MILLISECONDS);
afterAll(() => server.remove());

async function bucket(): Promise<string> {
  const Bucket = `bucket-${(buckets += 1)}`;
  await server.client().send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

const place = (location: string) =>
  s3Place(location, { endpoint: server.endpoint, region: server.region, pathStyle: true });

objectStoreBehaviour('a bucket of an S3 server', async () => s3Store(place(`s3://${await bucket()}`)));
objectStoreBehaviour('a prefix in such a bucket', async () => s3Store(place(`s3://${await bucket()}/a/prefix`)));
