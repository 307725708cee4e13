import { describe, expect, it } from 'vitest';
import { asWardlineError, ERROR_CODES, EXIT, WardlineError, type ErrorCode } from './errors.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe('an error', () => {
  it('says what, why and what to do', () => {
    const cause = new Error('socket closed');
    const error = new WardlineError('KAFKA_UNREACHABLE', 'no broker answers', { hint: 'start it', cause });
    expect(error).toMatchObject({ name: 'WardlineError', code: 'KAFKA_UNREACHABLE', message: 'no broker answers' });
    expect(error).toMatchObject({ hint: 'start it', cause, retryable: true, exitCode: EXIT.unreachable });
  });

  it('has neither hint nor cause where none is given', () => {
    const error = new WardlineError('INTERNAL', 'x');
    expect(error.hint).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  it.each([
    ['USAGE', 2],
    ['HOME_FORMAT', 2],
    ['CONTRACT_INVALID', 2],
    ['REFUSED_BY_POLICY', 3],
    ['KEY_DESTROYED', 3],
    ['SEALED_FIELD_ALTERED', 4],
    ['CERTIFICATE_INVALID', 4],
    ['AUDIT_UNAVAILABLE', 5],
    ['NOT_RUNNING', 5],
    ['INTERNAL', 1],
  ] as const)('%s ends a command with exit code %i', (code, exitCode) => {
    expect(new WardlineError(code, 'x').exitCode).toBe(exitCode);
  });

  it('ends no command as if it were done', () => {
    expect(codes.filter((code) => new WardlineError(code, 'x').exitCode === EXIT.done)).toEqual([]);
  });

  it('is tried again only where the same call may succeed later', () => {
    const retryable = codes.filter((code) => new WardlineError(code, 'x').retryable);
    expect(retryable.sort()).toEqual([
      'AUDIT_UNAVAILABLE',
      'BACKUP_BUSY',
      'CASSANDRA_UNREACHABLE',
      'KAFKA_UNREACHABLE',
      'KEY_EXHAUSTED',
      'KEY_NOT_YET_PUBLISHED',
      'NODE_MISSING',
      'STORE_FULL',
      'STORE_UNREACHABLE',
    ]);
  });
});

describe('whatever was thrown', () => {
  it('stays what it is where it has a code', () => {
    const error = new WardlineError('USAGE', 'x');
    expect(asWardlineError(error, 'KAFKA_REFUSED')).toBe(error);
  });

  it('gets a code, and keeps its message and itself as the cause', () => {
    const thrown = new TypeError('no such thing');
    expect(asWardlineError(thrown)).toMatchObject({ code: 'INTERNAL', message: 'no such thing', cause: thrown });
    expect(asWardlineError(thrown, 'SOURCE_UNREADABLE').code).toBe('SOURCE_UNREADABLE');
  });

  it('may be no error at all', () => {
    expect(asWardlineError('text').message).toBe('text');
    expect(asWardlineError(undefined).message).toBe('undefined');
  });
});
