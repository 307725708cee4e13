import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { sleep, type Clock } from '../../core/clock.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import type { RetryPolicy } from '../../core/async/retry.ts';
import { EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, ownGroup } from '../../security/principals/names.ts';
import type { NoteSigner } from '../checkpoint/signed-note.ts';
import { columnsOf } from '../store/columns.ts';
import { originOf } from '../store/epochs.ts';
import { SummaryBuilder } from '../store/summary.ts';
import { readTopic, type TopicReader } from '../topic/read-topic.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';
import { openLog, type LogSources } from './open-log.ts';
import type { CheckpointPlace } from './places.ts';
import { shrunk, watchTopic, type TopicWatch } from './watch-topic.ts';

export interface NotaryOptions {
  readonly sources: LogSources;
  readonly kafka: Kafka;
  readonly signer: (origin: string) => NoteSigner;
  /** Where checkpoints are published, made anew for each time that the log is opened. */
  readonly publishTo: () => readonly CheckpointPlace[];
  readonly clock: Clock;
  readonly retry: RetryPolicy;
  /** Told why the notary waits. */
  readonly onWaiting: (reason: string) => void;
  readonly onOpened?: (epoch: number, size: number) => void;
  readonly onSigned?: (size: number) => void;
  readonly signal: AbortSignal;
}

/** A notary that was killed keeps the topic for so long, in milliseconds; another takes over then. */
const SESSION_TIMEOUT = 6000;
const HEARTBEAT_INTERVAL = 1500;
const FETCH_WAIT = 500;
const FETCH_BYTES = 2 * 1024 * 1024;
const RESTART_DELAY = 1000;
/** How long leaving the group may take, where Kafka is away. */
const DISCONNECT_PATIENCE = 3000;

/**
 * The notary: reads the audit topic, stores each event at its place, builds the tree and signs checkpoints. Resolves when
 * the signal aborts, with everything that was taken stored and signed. Rejects with what waiting does not mend:
 * AUDIT_EPOCH_LOST, AUDIT_FORK, a refusal of the servers; nothing is signed then.
 *
 * Notaries share a consumer group, and the topic has one partition: one of them works, the others wait to take over. Two
 * that overlap for a moment store the same events at the same places and sign the same tree.
 */
export async function runNotary(options: NotaryOptions): Promise<void> {
  while (!options.signal.aborted) {
    await runOnce(options).catch((error: unknown) => {
      const trouble = asKafkaError(error);
      if (!trouble.retryable) throw trouble;
      options.onWaiting(trouble.message);
    });
    await sleep(RESTART_DELAY, options.signal);
  }
}

async function runOnce(options: NotaryOptions): Promise<void> {
  const { signal, sources } = options;
  const consumer = notaryConsumer(options.kafka);
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<undefined>();
  ended.catch(() => undefined);
  let writing: Promise<LogWriter> | undefined;
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(asKafkaError(payload.error)));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const assigned = (payload.memberAssignment[AUDIT_TOPIC] ?? []).length > 0;
    const left = leave(writing);
    writing = assigned ? left.then(() => open(options, consumer, fail)) : undefined;
    (writing ?? left).catch(fail);
  });
  const stop = (): void => end(undefined);
  signal.addEventListener('abort', stop, { once: true });
  let watch: TopicWatch | undefined;
  try {
    // Before the first join: what is wrong with the log is said also where another notary has the topic.
    await openLog(sources);
    watch = watchTopic(sources.topic, async () => (await writing)?.next ?? 0, fail);
    await consumer.connect();
    await consumer.subscribe({ topics: [AUDIT_TOPIC], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => (writing === undefined ? Promise.resolve() : take(consumer, payload, writing, fail)),
    });
    await (signal.aborted ? Promise.resolve() : ended);
    await leave(writing);
  } finally {
    watch?.close();
    signal.removeEventListener('abort', stop);
    writing?.then((writer) => writer.abandon()).catch(() => undefined);
    await Promise.race([consumer.disconnect().catch(() => undefined), sleep(DISCONNECT_PATIENCE)]);
  }
}

function notaryConsumer(kafka: Kafka): Consumer {
  return kafka.consumer({
    groupId: ownGroup('notary'),
    sessionTimeout: SESSION_TIMEOUT,
    heartbeatInterval: HEARTBEAT_INTERVAL,
    maxWaitTimeInMs: FETCH_WAIT,
    maxBytesPerPartition: FETCH_BYTES,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: () => Promise.resolve(false) },
  });
}

/** What was taken is stored and signed, also where another notary has the topic by now: it does the same. */
async function leave(writing: Promise<LogWriter> | undefined): Promise<void> {
  await (await writing)?.close();
}

async function open(options: NotaryOptions, consumer: Consumer, fail: (error: unknown) => void): Promise<LogWriter> {
  const log = await openLog(options.sources);
  const summary = await summaryOf(options.sources.topic, log.size);
  options.onOpened?.(log.epoch, log.size);
  return createLogWriter(log, summary, {
    cassandra: options.sources.cassandra,
    signer: options.signer(originOf(options.sources.install, log.epoch)),
    places: options.publishTo(),
    clock: options.clock,
    retry: options.retry,
    onError: fail,
    onSigned(size) {
      options.onSigned?.(size);
      // Only where to look first: where the notary goes on is for the keyspace to say.
      const offsets = [{ topic: AUDIT_TOPIC, partition: 0, offset: String(size) }];
      consumer.commitOffsets(offsets).catch(() => undefined);
    },
  });
}

/** The summary of the last of the log's `size` events, to go on with. */
async function summaryOf(topic: TopicReader, size: number): Promise<SummaryBuilder> {
  const first = size - (size % EVENTS_PER_SUMMARY);
  const summary = new SummaryBuilder(first);
  await readTopic(topic, AUDIT_TOPIC, { from: first, to: size }, (messages) => {
    for (const { value } of messages) summary.append(columnsOf(value ?? undefined));
  });
  return summary;
}

/** One fetch of the topic. */
async function take(
  consumer: Consumer,
  payload: EachBatchPayload,
  opened: Promise<LogWriter>,
  fail: (error: unknown) => void,
): Promise<void> {
  const beating = setInterval(() => void payload.heartbeat().catch(() => undefined), HEARTBEAT_INTERVAL);
  try {
    const writer = await opened;
    const messages = nextMessages(payload.batch, writer);
    if (messages === undefined) {
      consumer.seek({ topic: AUDIT_TOPIC, partition: 0, offset: String(writer.next) });
      return;
    }
    await writer.append(messages.map(({ value }) => value ?? Buffer.alloc(0)));
    payload.resolveOffset(payload.batch.lastOffset());
  } catch (error) {
    fail(asWardlineError(error));
  } finally {
    clearInterval(beating);
  }
}

/**
 * The events of a fetch from the next one on; undefined where it begins beyond that. The first fetch may begin before it:
 * an earlier notary stored those. A later one that does comes of a topic that lost its end, since kafkajs goes back to
 * the beginning then without a word.
 */
function nextMessages(
  { messages, highWatermark }: EachBatchPayload['batch'],
  writer: LogWriter,
): KafkaMessage[] | undefined {
  const { next } = writer;
  const first = Number(messages[0]?.offset ?? next);
  if (first > next) return undefined;
  if (Number(highWatermark) < next) {
    // The first fetch may be older than what another notary stored while this one opened the log: it is asked for again.
    if (writer.taken === 0) return undefined;
    throw shrunk(next, Number(highWatermark));
  }
  if (first < next && writer.taken > 0)
    throw new WardlineError(
      'KAFKA_UNREACHABLE',
      `the audit topic went back from event ${next} to ${first}: opening the log anew`,
    );
  return messages.filter(({ offset }) => Number(offset) >= next);
}
