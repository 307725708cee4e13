import type { Context, Tracer } from '@opentelemetry/api';
import type { KafkaMessage } from 'kafkajs';
import type { AuditLog } from '../audit/event/event.ts';
import { asWardlineError } from '../core/errors/errors.ts';
import type { Rejection } from '../core/record.ts';
import { createSemaphore } from '../core/async/semaphore.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import type { WorkerWatch } from './alarms.ts';
import type { PartitionBatch, TopicConsumer } from './consume/consumer.ts';
import type { Verified, VerifiedMessage } from './consume/verify.ts';
import type { DeadLetter } from './dead-letters/letter.ts';
import { HEADERS } from './messages.ts';
import { traceIdOf } from './stage.ts';
import type { StoreInput } from './store.ts';
import type { Transformed } from './transform.ts';
import { ATTRIBUTES, SPAN_NAMES } from '../telemetry/names.ts';
import { contextFromTraceparent } from '../telemetry/propagation.ts';
import { withSpan } from '../telemetry/with-span.ts';
import { createWindowChain } from './window/window-chain.ts';
import { withWindow, type Window } from './window/window.ts';

/** The stages a worker passes each batch through, already wrapped. */
export interface WorkerStages {
  readonly consume: (batch: readonly KafkaMessage[], parent: Context) => Promise<Verified>;
  readonly transform: (messages: readonly VerifiedMessage[], parent: Context) => Promise<Transformed>;
  readonly store: (input: StoreInput, parent: Context) => Promise<undefined>;
  readonly deadLetter: (letters: readonly DeadLetter[], parent: Context) => Promise<undefined>;
}

export interface WorkerOptions {
  readonly contract: CompiledContract;
  readonly consumer: TopicConsumer;
  readonly stages: WorkerStages;
  readonly audit: AuditLog;
  readonly tracer: Tracer;
  readonly watch: WorkerWatch;
  readonly windowRecords: number;
  readonly windowMilliseconds: number;
  /** Tells this process's events from those of its restarts. */
  readonly attempt: string;
  /** Told after each commit the next offset of each partition. */
  readonly onCommitted?: (next: ReadonlyMap<number, bigint>) => void;
}

export interface Worker {
  /** Works until `stop`, or rejects on a fatal error; nothing unfinished is ever committed. */
  run(): Promise<void>;
  /** Finishes what was taken in, has it audited and committed, and leaves the group. */
  stop(): Promise<void>;
}

/**
 * Records under way at once, about four full fetches of a partition: enough to overlap checking with storing, few enough
 * to bound memory. Of small batches, as at low rates, many may be under way: none waits for the one before it.
 */
const RECORDS_AT_ONCE = 1800;

/**
 * The worker's loop: batches pass consume → transform → store; a window of them is audited as one, and only then
 * committed (effect → audit acknowledged → commit). A crash at any point repeats at most the windows not yet
 * committed, and repetition changes nothing.
 */
export function createWorker(options: WorkerOptions): Worker {
  const { contract, consumer, stages, audit, watch, attempt, tracer } = options;
  const underWay = createSemaphore(RECORDS_AT_ONCE);
  const traces = new WeakMap<Window, Context>();
  let fail: (error: unknown) => void = () => undefined;
  let stopping = false;

  const chain = createWindowChain({
    records: options.windowRecords,
    milliseconds: options.windowMilliseconds,
    onError: (error) => fail(error),
    async finish(window) {
      const next = window.nextOffsets();
      const incarnations = consumer.incarnations();
      // The window stands in the trace that its first work came from, as its events do.
      const parent = traces.get(window);
      const facts = { [ATTRIBUTES.recordsIn]: window.records, [ATTRIBUTES.deadLetters]: window.rejected };
      await withSpan(
        tracer,
        SPAN_NAMES.workerWindow,
        facts,
        async () => {
          await audit.appendAll(window.statements({ topic: contract.topic.name, contract, incarnations, attempt }));
          await withSpan(tracer, SPAN_NAMES.commit, {}, () => consumer.commit(next));
        },
        { parent },
      );
      watch.windowEnded();
      options.onCommitted?.(next);
    },
  });

  /** The way of one batch. */
  const pass = async ({ partition, incarnation, messages }: PartitionBatch, window: Window): Promise<void> => {
    const parent = withWindow(parentOf(messages), window);
    window.trace(traceIdOf(parent));
    if (!traces.has(window)) traces.set(window, parent);
    const verified = await stages.consume(messages, parent);
    const { rows, rejected: refused } = await stages.transform(verified.messages, parent);
    const rejected = [
      ...verified.rejected,
      ...refused.map(({ message, rejection }) => ({ message: message.original, rejection })),
    ];
    window.include(
      partition,
      offsetOf(messages[0]),
      verified.digests,
      rejected.map(({ message }) => offsetOf(message)),
    );
    if (rejected.length > 0) await stages.deadLetter(rejected.map(letterOf(contract, partition)), parent);
    if (rows.length > 0) {
      await stages.store({ rows, partition, incarnation }, parent);
      watch.stored(rows);
    }
  };

  return {
    run() {
      return new Promise((resolve, reject) => {
        fail = (error) => {
          reject(asWardlineError(error));
          // No further batch is taken in; nothing is committed any more.
          void consumer.stop();
        };
        const handle = async (batch: PartitionBatch): Promise<void> => {
          watch.taken(batch);
          await chain.ready();
          const release = await underWay.acquire(batch.messages.length);
          if (stopping) {
            // It came while the last window was being closed: left for the next member of the group.
            release();
            return;
          }
          chain.take((window) => pass(batch, window).finally(release));
        };
        consumer.run(handle).then(resolve, fail);
      });
    },
    async stop() {
      stopping = true;
      consumer.drain();
      try {
        await chain.close();
      } finally {
        await consumer.stop();
      }
    },
  };
}

/** The trace that the batch's first message came from, so that one trace leads from source to row. */
function parentOf(messages: readonly KafkaMessage[]): Context {
  const header = messages[0]?.headers?.[HEADERS.traceparent];
  return contextFromTraceparent(Array.isArray(header) ? undefined : header);
}

function offsetOf(message: KafkaMessage | undefined): bigint {
  return BigInt(message?.offset ?? 0);
}

/** A message that cannot pass, as a dead letter: the message whole, as it stood on the topic. */
function letterOf(contract: CompiledContract, partition: number) {
  return ({ message, rejection }: { readonly message: KafkaMessage; readonly rejection: Rejection }): DeadLetter => {
    const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [
      name,
      Buffer.from(String(value)).toString('base64'),
    ]);
    return {
      code: rejection.code,
      stage: rejection.code === 'EXPRESSION_FAILED' || rejection.code.startsWith('VALUE_') ? 'transform' : 'consume',
      property: rejection.property,
      detail: rejection.detail,
      position: `${contract.topic.name}/${partition}/${message.offset}`,
      subject: undefined,
      writeTimestamp: message.headers?.[HEADERS.writeTimestamp]?.toString(),
      traceparent: message.headers?.[HEADERS.traceparent]?.toString(),
      content: {
        kind: 'message',
        key: message.key?.toString('base64') ?? null,
        value: message.value?.toString('base64') ?? null,
        headers: Object.fromEntries(headers) as Record<string, string>,
      },
    };
  };
}
