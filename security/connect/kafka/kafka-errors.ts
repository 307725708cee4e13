import { WardlineError, type ErrorCode } from '../../../core/errors/errors.ts';
import { isTlsRefusal } from '../tls-refusals.ts';

/** Kafka's protocol errors that mean something other than what kafkajs' `retriable` flag says. */
const BY_TYPE: Readonly<Record<string, ErrorCode>> = {
  SASL_AUTHENTICATION_FAILED: 'KAFKA_REFUSED',
  UNSUPPORTED_SASL_MECHANISM: 'KAFKA_REFUSED',
  ILLEGAL_SASL_STATE: 'KAFKA_REFUSED',
  TOPIC_AUTHORIZATION_FAILED: 'KAFKA_REFUSED',
  GROUP_AUTHORIZATION_FAILED: 'KAFKA_REFUSED',
  CLUSTER_AUTHORIZATION_FAILED: 'KAFKA_REFUSED',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'KAFKA_REFUSED',
  OFFSET_OUT_OF_RANGE: 'KAFKA_OFFSET_LOST',
  // States of a consumer group that joining again ends.
  ILLEGAL_GENERATION: 'KAFKA_UNREACHABLE',
  UNKNOWN_MEMBER_ID: 'KAFKA_UNREACHABLE',
  REBALANCE_IN_PROGRESS: 'KAFKA_UNREACHABLE',
  MEMBER_ID_REQUIRED: 'KAFKA_UNREACHABLE',
  // An idempotent producer that lost its place in the sequence, as after a restart of the broker: a new one goes on.
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'KAFKA_UNREACHABLE',
  DUPLICATE_SEQUENCE_NUMBER: 'KAFKA_UNREACHABLE',
  UNKNOWN_PRODUCER_ID: 'KAFKA_UNREACHABLE',
  INVALID_PRODUCER_EPOCH: 'KAFKA_UNREACHABLE',
};

/** Errors of kafkajs itself. What it will not try again by itself may well succeed later. */
const BY_NAME: Readonly<Record<string, ErrorCode>> = {
  KafkaJSSASLAuthenticationError: 'KAFKA_REFUSED',
  KafkaJSOffsetOutOfRange: 'KAFKA_OFFSET_LOST',
  KafkaJSGroupCoordinatorNotFound: 'KAFKA_UNREACHABLE',
  KafkaJSTimeout: 'KAFKA_UNREACHABLE',
  KafkaJSLockTimeout: 'KAFKA_UNREACHABLE',
};

/**
 * A login during which the connection broke, as when the broker is killed: kafkajs calls that a failed authentication too,
 * and keeps of what happened the message alone.
 */
const BROKEN_LOGIN = /failed: (Not connected|Closed connection|Connection (error|timeout)|Request .* timed out)/;

const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  KAFKA_REFUSED:
    'check the principal and its certificate (wardline certs verify) and what the table of principals gives it',
  KAFKA_UNREACHABLE:
    'see whether the servers run: wardline status (kafkajs says the same of a consumer group that the principal may not use)',
  KAFKA_OFFSET_LOST: 'records were deleted before they were read: compare the topic with its archive before going on',
};

/**
 * What Kafka or kafkajs threw, as an error with a code: KAFKA_REFUSED where the servers or their certificates say no,
 * KAFKA_OFFSET_LOST for an offset that is gone, KAFKA_UNREACHABLE for whatever waiting may mend, INTERNAL for the rest.
 * An error that already has a code of ours, alone or as a cause, is returned as it is.
 */
export function asKafkaError(thrown: unknown): WardlineError {
  const chain = causes(thrown);
  const ours = chain.find((error) => error instanceof WardlineError);
  if (ours !== undefined) return ours;
  // The innermost error is what the server or the socket said; the outer ones are what kafkajs made of it.
  const code = chain.map(codeOf).findLast((found) => found !== undefined) ?? 'INTERNAL';
  const message = chain.at(-1)?.message ?? String(thrown);
  return new WardlineError(code, `Kafka: ${message}`, { hint: HINTS[code], cause: thrown });
}

function codeOf(error: Error): ErrorCode | undefined {
  const { name, type, code, retriable } = error as Error & Readonly<Record<'type' | 'code' | 'retriable', unknown>>;
  if (name === 'KafkaJSSASLAuthenticationError' && BROKEN_LOGIN.test(error.message)) return 'KAFKA_UNREACHABLE';
  const byType = typeof type === 'string' ? BY_TYPE[type] : undefined;
  const found = byType ?? BY_NAME[name];
  if (found !== undefined) return found;
  if (isTlsRefusal(code)) return 'KAFKA_REFUSED';
  return retriable === true ? 'KAFKA_UNREACHABLE' : undefined;
}

/** The error, its causes, and the first of several errors in one: outermost first. */
function causes(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && !chain.includes(error);) {
    chain.push(error);
    error = firstOfMany(error) ?? error.cause;
  }
  return chain;
}

/** kafkajs gathers the errors of several topics under `errors`, those of several partitions under `partitions`. */
function firstOfMany(error: Error & { readonly errors?: unknown; readonly partitions?: unknown }): unknown {
  if (Array.isArray(error.errors)) return error.errors[0];
  const partitions: unknown[] = Array.isArray(error.partitions) ? error.partitions : [];
  return partitions
    .map((partition) => (partition as { readonly error?: unknown }).error)
    .find((inner) => inner instanceof Error);
}
