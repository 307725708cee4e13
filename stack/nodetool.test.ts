import { describe, expect, it } from 'vitest';
import { nodetoolError } from './nodetool.ts';

const call = { command: 'import', log: 'a.log', timeout: 120_000 };

const failed = (more: object): Error => Object.assign(new Error('Command failed'), more);

describe('what nodetool fails with', () => {
  it.each([
    ["nodetool: Failed to connect to '127.0.0.1:7199' - ConnectException: 'Connection refused'."],
    ['error: Error unmarshaling return header; nested exception is: \n\tjava.io.EOFException\n-- StackTrace --'],
    ['error: Connection reset'],
    [
      'Exception in thread "main" java.lang.IllegalArgumentException: Server is not initialized yet, cannot run nodetool.',
    ],
    ['NOTE: Picked up JDK_JAVA_OPTIONS: -Xmx1g\nerror: Connection reset'],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nerror: Connection reset'],
    ['java.rmi.UnmarshalException: Error unmarshaling return header'],
  ])('is out of reach where it says %j', (stderr) => {
    expect(nodetoolError(failed({ stderr }), call).code).toBe('CASSANDRA_UNREACHABLE');
  });

  it('is out of reach where it does not answer', () => {
    const { code, message } = nodetoolError(failed({ killed: true, stderr: '' }), call);
    expect([code, message]).toEqual(['CASSANDRA_UNREACHABLE', 'nodetool import failed: no answer within 120 s']);
  });

  it('is a refusal otherwise, in its own words', () => {
    const { code, message, hint } = nodetoolError(failed({ stderr: '\nerror: Keyspace x does not exist\n' }), call);
    expect([code, message, hint]).toEqual([
      'CASSANDRA_REFUSED',
      'nodetool import failed: error: Keyspace x does not exist',
      'see a.log',
    ]);
  });
});
