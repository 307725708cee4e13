import { S3Client } from '@aws-sdk/client-s3';
import type { Settings } from '../../../core/configuration.ts';
import type { S3Location } from './location.ts';

export interface S3Place extends S3Location {
  readonly client: S3Client;
}

const CONNECTION_MILLISECONDS = 5000;
/** A connection on which nothing moves for so long is given up. */
const IDLE_MILLISECONDS = 30_000;
const ATTEMPTS = 3;

/** A location with a client. The SDK finds credentials where it always does: environment, profile, workload identity. */
export function s3Place(
  location: S3Location,
  settings: Pick<Settings['backup']['s3'], 'endpoint' | 'region' | 'pathStyle'>,
): S3Place {
  const client = new S3Client({
    region: settings.region,
    forcePathStyle: settings.pathStyle,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_MILLISECONDS, socketTimeout: IDLE_MILLISECONDS },
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
  });
  return { ...location, client };
}
