import { S3Client } from '@aws-sdk/client-s3';
import type { Settings } from '../../../core/configuration.ts';
import { WardlineError } from '../../../core/errors/errors.ts';

/** A bucket and what all names in it begin with; a prefix is empty or ends with a slash. */
export interface S3Place {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  /** For people: `s3://bucket/prefix`. */
  readonly address: string;
}

const LOCATION = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._=-]+(?:\/[A-Za-z0-9._=-]+)*))?\/?$/;
const CONNECTION_MILLISECONDS = 5000;
/** A connection on which nothing moves for so long is given up. */
const IDLE_MILLISECONDS = 30_000;
const ATTEMPTS = 3;

/**
 * A client of the bucket that `location` names. The SDK finds credentials where it always does: environment, profile,
 * workload identity. Throws CONFIGURATION_INVALID where `location` is not of the form `s3://bucket/prefix`.
 */
export function s3Place(
  location: string,
  settings: Pick<Settings['backup']['s3'], 'endpoint' | 'region' | 'pathStyle'>,
): S3Place {
  const [, bucket, prefix] = LOCATION.exec(location) ?? [];
  if (bucket === undefined)
    throw new WardlineError('CONFIGURATION_INVALID', `${location} is not of the form s3://bucket/prefix`, {
      hint: 'letters, digits, dots, hyphens and underscores; credentials stand elsewhere',
    });
  const client = new S3Client({
    region: settings.region,
    forcePathStyle: settings.pathStyle,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_MILLISECONDS, socketTimeout: IDLE_MILLISECONDS },
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
  });
  return {
    client,
    bucket,
    prefix: prefix === undefined ? '' : `${prefix}/`,
    address: `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}`,
  };
}
