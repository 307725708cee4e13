import { errors, types } from 'cassandra-driver';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { WardlineError } from '../../core/errors/errors.ts';
import { asCassandraError } from './cassandra/cassandra.ts';
import { asKafkaError } from './kafka/kafka.ts';
import { isTlsRefusal } from './tls-refusals.ts';

const protocolError = (type: string, retriable: boolean) =>
  new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type, retriable, code: 1 }));
const exhausted = (cause: Error) =>
  Object.assign(new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 100 }), { cause });
const failedLogin = (why: string) =>
  Object.assign(new kafkajs.KafkaJSNonRetriableError(`SASL SCRAM SHA512 authentication failed: ${why}`), {
    name: 'KafkaJSSASLAuthenticationError',
  });
const wrongPassword = failedLogin('Authentication failed during authentication due to invalid credentials');
const ours = new WardlineError('CREDENTIAL_MISSING', 'no password');

describe('asKafkaError', () => {
  it.each<[string, unknown, string]>([
    ['a denied operation', protocolError('TOPIC_AUTHORIZATION_FAILED', false), 'KAFKA_REFUSED'],
    ['a wrong password', wrongPassword, 'KAFKA_REFUSED'],
    ['a login whose connection was gone', failedLogin('Not connected'), 'KAFKA_UNREACHABLE'],
    ['a login whose connection broke', failedLogin('Connection error: read ECONNRESET'), 'KAFKA_UNREACHABLE'],
    ['a login that took too long', failedLogin('Request SaslAuthenticate(key: 36) timed out'), 'KAFKA_UNREACHABLE'],
    ['a refusal under retries', exhausted(protocolError('GROUP_AUTHORIZATION_FAILED', false)), 'KAFKA_REFUSED'],
    [
      'a certificate that was not accepted',
      exhausted(new kafkajs.KafkaJSConnectionError('x', { code: 'CERT_HAS_EXPIRED' })),
      'KAFKA_REFUSED',
    ],
    ['nobody listening', new kafkajs.KafkaJSConnectionError('x', { code: 'ECONNREFUSED' }), 'KAFKA_UNREACHABLE'],
    ['a connection that broke', new kafkajs.KafkaJSConnectionError('Closed connection'), 'KAFKA_UNREACHABLE'],
    ['too few replicas', protocolError('NOT_ENOUGH_REPLICAS', true), 'KAFKA_UNREACHABLE'],
    ['a rebalance', protocolError('REBALANCE_IN_PROGRESS', false), 'KAFKA_UNREACHABLE'],
    ['a lost sequence', exhausted(protocolError('OUT_OF_ORDER_SEQUENCE_NUMBER', false)), 'KAFKA_UNREACHABLE'],
    ['an offset that is gone', protocolError('OFFSET_OUT_OF_RANGE', false), 'KAFKA_OFFSET_LOST'],
    ['a message that is too large', protocolError('MESSAGE_TOO_LARGE', false), 'INTERNAL'],
    [
      'a refusal for one of several topics',
      Object.assign(new Error('Topic creation errors'), {
        errors: [protocolError('TOPIC_AUTHORIZATION_FAILED', false)],
      }),
      'KAFKA_REFUSED',
    ],
    [
      'a refusal for one of several partitions',
      Object.assign(new kafkajs.KafkaJSError('Error while deleting records'), {
        partitions: [{ partition: 0, error: protocolError('TOPIC_AUTHORIZATION_FAILED', false) }],
      }),
      'KAFKA_REFUSED',
    ],
    ['an error of ours', exhausted(ours), 'CREDENTIAL_MISSING'],
    ['something else', 'text', 'INTERNAL'],
  ])('names %s', (_name, thrown, code) => {
    expect(asKafkaError(thrown).code).toBe(code);
  });

  it('is retryable exactly where waiting may mend', () => {
    expect(asKafkaError(protocolError('NOT_ENOUGH_REPLICAS', true)).retryable).toBe(true);
    expect(asKafkaError(protocolError('TOPIC_AUTHORIZATION_FAILED', false)).retryable).toBe(false);
  });

  it('ends on a chain of causes that bites its own tail', () => {
    const error = new Error('outer');
    error.cause = error;
    expect(asKafkaError(error).code).toBe('INTERNAL');
  });
});

const response = (code: number) => new errors.ResponseError(code, "line 1:7 no viable alternative at input 'planted'");
const nobody = (inner: Record<string, Error>) => new errors.NoHostAvailableError(inner);
const system = (code: string) => Object.assign(new Error(code), { code });

describe('asCassandraError', () => {
  it.each<[string, unknown, string]>([
    [
      'too few nodes that know passwords',
      new errors.AuthenticationError('Unable to perform authentication: Cannot achieve consistency level LOCAL_QUORUM'),
      'CASSANDRA_UNREACHABLE',
    ],
    ['a wrong password', response(types.responseErrorCodes.badCredentials), 'CASSANDRA_REFUSED'],
    [
      'a connection that broke',
      Object.assign(new Error('Socket was closed'), { isSocketError: true }),
      'CASSANDRA_UNREACHABLE',
    ],
    ['a permission that is lacking', response(types.responseErrorCodes.unauthorized), 'CASSANDRA_REFUSED'],
    ['too few replicas', response(types.responseErrorCodes.unavailableException), 'CASSANDRA_UNREACHABLE'],
    ['a write that timed out', response(types.responseErrorCodes.writeTimeout), 'CASSANDRA_UNREACHABLE'],
    ['a statement that is wrong', response(types.responseErrorCodes.syntaxError), 'INTERNAL'],
    ['nobody listening', nobody({ '127.0.0.1:1': system('ECONNREFUSED') }), 'CASSANDRA_UNREACHABLE'],
    ['no host at all', nobody({}), 'CASSANDRA_UNREACHABLE'],
    [
      'a refusal among silent hosts',
      nobody({ a: system('ECONNREFUSED'), b: new errors.AuthenticationError('no') }),
      'CASSANDRA_REFUSED',
    ],
    ['a certificate that was not accepted', nobody({ a: system('DEPTH_ZERO_SELF_SIGNED_CERT') }), 'CASSANDRA_REFUSED'],
    ['no answer in time', new errors.OperationTimedOutError('late'), 'CASSANDRA_UNREACHABLE'],
    ['an error of ours', nobody({ a: ours }), 'CREDENTIAL_MISSING'],
    ['something else', new TypeError('x'), 'INTERNAL'],
  ])('names %s', (_name, thrown, code) => {
    expect(asCassandraError(thrown).code).toBe(code);
  });

  it('does not repeat a statement, which may hold values', () => {
    expect(asCassandraError(response(types.responseErrorCodes.syntaxError)).message).not.toContain('planted');
    expect(asCassandraError(response(types.responseErrorCodes.invalid)).message).not.toContain('planted');
  });
});

describe('isTlsRefusal', () => {
  it('tells a refusal from a broken-off handshake', () => {
    expect(isTlsRefusal('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')).toBe(true);
    expect(isTlsRefusal('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')).toBe(true);
    expect(isTlsRefusal('ERR_SSL_UNEXPECTED_EOF_WHILE_READING')).toBe(false);
    expect(isTlsRefusal('ECONNRESET')).toBe(false);
  });
});

it('says of hosts that cannot be reached what they said, and shows no stack', () => {
  const closed = Object.assign(new Error('Socket was closed'), { isSocketError: true });
  expect(asCassandraError(nobody({ '127.0.0.1:9042': closed })).message).toBe('Cassandra: Socket was closed');
  expect(asCassandraError(nobody({})).message).toBe('Cassandra: no host can be reached');
});
