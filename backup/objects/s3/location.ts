import { WardlineError } from '../../../core/errors/errors.ts';
import { isName } from '../object-store.ts';

/** A bucket and what all names in it begin with; a prefix is empty or ends with a slash. */
export interface S3Location {
  readonly bucket: string;
  readonly prefix: string;
  /** For people: `s3://bucket/prefix`. */
  readonly address: string;
}

const LOCATION = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/?$/;

export function isS3(location: string): boolean {
  return location.startsWith('s3://');
}

/** Throws CONFIGURATION_INVALID where `location` is not of the form `s3://bucket/prefix`, without repeating it. */
export function parseS3Location(location: string): S3Location {
  const [, bucket, prefix = ''] = LOCATION.exec(location) ?? [];
  if (bucket === undefined || (prefix !== '' && !isName(prefix)))
    throw new WardlineError('CONFIGURATION_INVALID', 'a store on S3 is named in the form s3://bucket/prefix', {
      hint: 'see backup.store and backup.escrow; credentials stand where the AWS SDK looks for them, never there',
    });
  return prefix === ''
    ? { bucket, prefix, address: `s3://${bucket}` }
    : { bucket, prefix: `${prefix}/`, address: `s3://${bucket}/${prefix}` };
}
