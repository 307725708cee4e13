import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../test/support/failure.ts';
import { isS3, parseS3Location } from './location.ts';

describe('a location on S3', () => {
  it.each([
    ['s3://bucket', { bucket: 'bucket', prefix: '', address: 's3://bucket' }],
    ['s3://bucket/', { bucket: 'bucket', prefix: '', address: 's3://bucket' }],
    [
      's3://a.bucket/and/a/prefix/',
      { bucket: 'a.bucket', prefix: 'and/a/prefix/', address: 's3://a.bucket/and/a/prefix' },
    ],
  ])('%s is a bucket, and perhaps a prefix', (text, location) => {
    expect(isS3(text)).toBe(true);
    expect(parseS3Location(text)).toEqual(location);
  });

  it.each([
    's3://',
    's3://Bucket',
    's3://key:secret@bucket',
    's3://bucket/../x',
    's3://bucket//x',
    's3://bucket?x',
    's3://b',
  ])('is not %s, which no message repeats', (text) => {
    expect(codeOf(() => parseS3Location(text))).toBe('CONFIGURATION_INVALID');
    expect(() => parseS3Location(text)).not.toThrow('secret');
  });
});
