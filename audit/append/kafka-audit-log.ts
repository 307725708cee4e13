import type { Kafka, Producer } from 'kafkajs';
import { WardlineError } from '../../core/errors/errors.ts';
import { retry, type RetryPolicy } from '../../core/async/retry.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka-errors.ts';
import { sendAll } from '../../security/connect/kafka/send-all.ts';
import type { AuditLog, EventStatement } from '../event/event.ts';
import { GroupCommit } from './group-commit.ts';
import { createEventSigner, type EventSigner } from '../event/sign-event.ts';

/** The topic of the audit log. It has one partition: its offsets are the order of the events. */
export const AUDIT_TOPIC = 'wardline.audit';
const AUDIT_PARTITION = 0;

/** Kafka's own limit for a request is 1 MiB unless configured otherwise; a group keeps well below it. */
const LARGEST_GROUP_BYTES = 512 * 1024;
const LARGEST_GROUP = 500;
const WAITING_LIMIT = 10_000;

/** How long the broker may take to have a group on all in-sync replicas, in milliseconds. */
const ACKNOWLEDGE_TIMEOUT_MILLISECONDS = 10_000;

const DEFAULT_RETRY = { firstDelayMilliseconds: 100, longestDelayMilliseconds: 5_000, attempts: 8 } as const;

/** Why an append has not been acknowledged yet. */
export interface AuditWait {
  readonly reason: string;
  readonly attempt: number;
  readonly delayMilliseconds: number;
  readonly events: number;
}

export interface KafkaAuditLogOptions extends EventSigner {
  readonly kafka: Pick<Kafka, 'producer'>;
  readonly topic?: string | undefined;
  /** How long to keep trying; `attempts: Infinity` waits for as long as it takes, or until the signal aborts. */
  readonly retry?: Partial<Pick<RetryPolicy, 'firstDelayMilliseconds' | 'longestDelayMilliseconds' | 'attempts'>>;
  /** Told each time that an append fails and will be tried again, so that what waits says why. */
  readonly onWaiting?: ((wait: AuditWait) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An audit log of a process that outlives a rotation of certificates. */
export interface RenewableAuditLog extends AuditLog {
  /** Connects anew, with the credentials that then stand in the files: as soon as nothing is being sent. */
  renew(): void;
}

export interface KafkaAuditLog extends RenewableAuditLog {
  /**
   * Appends messages that somebody signed before (`spool.ts`), in order and with the very same bytes. Resolves and
   * rejects as `appendAll`; that they are events is not checked.
   */
  appendSigned(messages: readonly Buffer[]): Promise<void>;
}

/**
 * The audit log on Kafka. Connects at the first append. An append resolves only when all in-sync replicas have the
 * event; concurrent appends share a request.
 *
 * The producer is not idempotent, on purpose: after a sequence error an idempotent one stays unusable, and a resend
 * after a lost acknowledgement is harmless here, since it sends the same bytes and so the same event id again.
 */
export function createKafkaAuditLog(options: KafkaAuditLogOptions): KafkaAuditLog {
  const sign = createEventSigner(options);
  const topic = options.topic ?? AUDIT_TOPIC;
  const connection = lazyProducer(options.kafka);
  const commit = new GroupCommit<Buffer>({
    write: (group) => sendUntilAcknowledged(group, topic, connection, options),
    sizeOf: (message) => message.length,
    largestGroup: LARGEST_GROUP,
    largestGroupBytes: LARGEST_GROUP_BYTES,
    waitingLimit: WAITING_LIMIT,
  });

  const appendSigned = async (messages: readonly Buffer[]): Promise<void> => {
    // In slices, so that a long list waits for itself and not beside others' events.
    for (let start = 0; start < messages.length; start += LARGEST_GROUP)
      await Promise.all(messages.slice(start, start + LARGEST_GROUP).map((message) => commit.add(message)));
  };

  const appendAll = async (statements: readonly EventStatement[]): Promise<void> => {
    await appendSigned(statements.map(sign));
  };

  return {
    append: (statement) => appendAll([statement]),
    appendAll,
    appendSigned,
    renew: () => connection.renew(),
    close: async () => {
      await commit.close();
      await connection.close();
    },
  };
}

async function sendUntilAcknowledged(
  group: readonly Buffer[],
  topic: string,
  connection: LazyProducer,
  { retry: policy, onWaiting, signal }: KafkaAuditLogOptions,
): Promise<void> {
  const messages = group.map((value) => ({ value, partition: AUDIT_PARTITION }));
  const send = (): Promise<unknown> =>
    connection.use((producer) => sendAll(producer, { topic, messages, timeout: ACKNOWLEDGE_TIMEOUT_MILLISECONDS }));
  try {
    await retry(send, {
      ...DEFAULT_RETRY,
      ...policy,
      signal,
      // A refusal may be lifted as an outage may end; only how long to wait differs, and that is the caller's policy.
      retryable: () => true,
      onRetry: (error, attempt, delayMilliseconds) =>
        onWaiting?.({ reason: asKafkaError(error).message, attempt, delayMilliseconds, events: group.length }),
    });
  } catch (cause) {
    throw new WardlineError(
      'AUDIT_UNAVAILABLE',
      `${group.length} audit event(s) were not acknowledged by topic ${topic}: ${asKafkaError(cause).message}`,
      { hint: 'nothing proceeds without its audit event: check Kafka and the rights on the audit topic', cause },
    );
  }
}

interface LazyProducer {
  /** Calls `work` with a connected producer. */
  use<T>(work: (producer: Producer) => Promise<T>): Promise<T>;
  renew(): void;
  close(): Promise<void>;
}

function lazyProducer(kafka: Pick<Kafka, 'producer'>): LazyProducer {
  let current: Producer | undefined;
  let closing: Promise<unknown> = Promise.resolve();
  let inUse = 0;
  let stale = false;
  const close = (): Promise<unknown> => {
    const former = current;
    current = undefined;
    stale = false;
    if (former !== undefined) closing = former.disconnect();
    return closing;
  };
  const open = async (): Promise<Producer> => {
    await closing.catch(() => undefined);
    if (current !== undefined) return current;
    const producer = kafka.producer({
      allowAutoTopicCreation: false,
      idempotent: false,
      maxInFlightRequests: 1,
      createPartitioner: () => () => AUDIT_PARTITION,
      // One quick retry for a leader that moved; longer waits are this module's own, which say why.
      retry: { retries: 1, initialRetryTime: 50 },
    });
    await producer.connect().catch(async (error: unknown) => {
      // What it has opened so far must not stay open.
      await producer.disconnect().catch(() => undefined);
      throw error;
    });
    current = producer;
    return producer;
  };
  return {
    async use(work) {
      inUse += 1;
      try {
        return await work(await open());
      } finally {
        inUse -= 1;
        // Between two requests, so that none in flight is cut off.
        if (stale && inUse === 0) close().catch(() => undefined);
      }
    },
    renew() {
      stale = true;
      if (inUse === 0) close().catch(() => undefined);
    },
    async close() {
      await close();
    },
  };
}
