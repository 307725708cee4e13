import { hash } from 'node:crypto';
import { context, trace, type Context, type Tracer } from '@opentelemetry/api';
import type { AuditLog } from '../audit/event/event.ts';
import { asWardlineError } from '../core/errors/errors.ts';
import type { JsonValue, Raw, Sealed } from '../core/record.ts';
import { createSemaphore } from '../core/async/semaphore.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import { SPAN_NAMES } from '../telemetry/names.ts';
import { traceparentOf } from '../telemetry/propagation.ts';
import type { DeadLetter } from './dead-letters/letter.ts';
import { messagesOf } from './messages.ts';
import { requestsOf, type ProducedRange } from './produce.ts';
import type { SealPool } from './seal/pool.ts';
import type { SealedBatch } from './seal/protocol.ts';
import { isMalformed, type Malformed, type Source, type SourceItem } from './sources/source.ts';
import { recordStage, traceIdOf, type Surroundings } from './stage.ts';
import { createWindowChain } from './window/window-chain.ts';
import { withWindow, type Window } from './window/window.ts';

/** The stages whose effects leave the process, already wrapped. */
export interface SourceStages {
  readonly produce: (request: readonly Sealed[], parent: Context) => Promise<readonly ProducedRange[]>;
  readonly deadLetter: (letters: readonly DeadLetter[], parent: Context) => Promise<undefined>;
}

/** How far the source got: everything up to here is acknowledged and audited. */
export interface SourcePosition {
  readonly position: number;
  readonly writeTimestamp: number;
}

export interface SourceRunOptions {
  readonly contract: CompiledContract;
  readonly source: Source;
  readonly pool: SealPool;
  readonly stages: SourceStages;
  readonly around: Surroundings;
  readonly audit: AuditLog;
  readonly tracer: Tracer;
  /** The span that all batches belong to. */
  readonly parent: Context;
  readonly batchesAtOnce: number;
  readonly windowRecords: number;
  readonly windowMilliseconds: number;
  readonly attempt: string;
  /** Where to go on, and the last write timestamp that was given. */
  readonly from: SourcePosition;
  /** Gives write timestamps for `count` records: the first of as many consecutive microseconds. */
  readonly takeTimestamps: (count: number) => number;
  /** Called with each position that is acknowledged and audited; resolves when it is durable. */
  readonly onAcknowledged: (position: SourcePosition) => void;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Told as records and dead letters go by, for whoever shows or bounds them. */
export interface Progress {
  readonly onRead?: ((records: number) => void) | undefined;
  readonly onDeadLetters?: ((letters: number) => void) | undefined;
  readonly onStored?: ((records: number) => void) | undefined;
}

/** What a source did from its start to its end. */
export interface SourceSummary {
  readonly recordsRead: number;
  readonly deadLetters: number;
  readonly sealedFields: number;
  /** The offsets that were produced, by partition: from the first, up to but without the end, where a worker is done. */
  readonly produced: ReadonlyMap<number, { readonly from: bigint; readonly end: bigint }>;
  readonly ended: boolean;
}

/**
 * The source's loop: batches pass source → check → seal → produce. Batches are sealed side by side and sent in order;
 * a window of them is audited as one, and only then the position moves (effect → audit acknowledged → commit).
 * Resolves when the source ends or the signal aborts, with everything that was read finished.
 */
export async function runSource(options: SourceRunOptions): Promise<SourceSummary> {
  const { contract, source, pool, stages, around, audit, signal } = options;
  const places = createSemaphore(options.batchesAtOnce);
  const constant = { contractId: contract.id, contractVersion: contract.version };
  const produced = new Map<number, { from: bigint; end: bigint }>();
  const totals = { recordsRead: 0, deadLetters: 0, sealedFields: 0 };
  const lastOf = new WeakMap<Window, SourcePosition>();
  const failure = new AbortController();
  let failedWith: unknown;
  let sent: Promise<void> = Promise.resolve();

  const chain = createWindowChain({
    records: options.windowRecords,
    milliseconds: options.windowMilliseconds,
    onError(error) {
      failedWith ??= error;
      failure.abort();
    },
    async finish(window) {
      const statements = window.statements({ topic: contract.topic.name, contract, attempt: options.attempt });
      await context.with(options.parent, () => audit.appendAll(statements));
      const last = lastOf.get(window);
      if (last !== undefined) options.onAcknowledged(last);
    },
  });

  const pass = async (items: readonly SourceItem[], window: Window): Promise<void> => {
    const span = options.tracer.startSpan(SPAN_NAMES.sourceBatch, {}, options.parent);
    const parent = withWindow(trace.setSpan(options.parent, span), window);
    const traceparent = traceparentOf(span);
    try {
      window.trace(traceIdOf(parent));
      const raws = items.filter((item): item is Raw => !isMalformed(item));
      const malformed = items.filter(isMalformed);
      recordStage(
        'source',
        { counts: { records: items.length, malformed: malformed.length }, milliseconds: 0 },
        around,
        parent,
      );
      const firstTimestamp = options.takeTimestamps(Math.max(1, items.length));
      const previous = sent;
      const sealing = pool.seal(
        raws.map((raw) => raw.values),
        raws.map((raw) => raw.position),
        firstTimestamp,
      );
      const sending = (async (): Promise<void> => {
        // In the order of reading: whichever batch a thread finishes first, it waits for the one before it.
        const [batch] = await Promise.all([sealing, previous]);
        recordSealing(batch, raws.length, around, parent);
        const letters = [
          ...malformed.map((item) => letterOfInput(source.name, item, traceparent)),
          ...lettersOf(batch, raws, contract, source.name, firstTimestamp, traceparent),
        ];
        if (letters.length > 0) await stages.deadLetter(letters, parent);
        for (const request of requestsOf(messagesOf(batch, firstTimestamp, { ...constant, traceparent }))) {
          for (const { partition, firstOffset, records, digests } of await stages.produce(request, parent)) {
            window.include(partition, firstOffset, digests);
            const from = produced.get(partition)?.from ?? firstOffset;
            produced.set(partition, { from, end: firstOffset + BigInt(records) });
          }
        }
        totals.recordsRead += items.length;
        totals.deadLetters += letters.length;
        totals.sealedFields += batch.sealedFields;
        options.progress.onRead?.(items.length);
        if (letters.length > 0) options.progress.onDeadLetters?.(letters.length);
        lastOf.set(window, { position: items.at(-1)?.position ?? 0, writeTimestamp: firstTimestamp + items.length });
      })();
      sent = sending;
      await sending;
    } finally {
      span.end();
    }
  };

  let ended = true;
  const stopSignal = AbortSignal.any([signal, failure.signal]);
  for await (const items of source.batches(contract.sourceFields, {
    from: options.from.position,
    signal: stopSignal,
  })) {
    await chain.ready();
    const release = await places.acquire();
    if (stopSignal.aborted) {
      release();
      ended = false;
      break;
    }
    chain.take((window) => pass(items, window).finally(release));
  }
  if (failedWith === undefined) await chain.close();
  if (failedWith !== undefined) throw asWardlineError(failedWith);
  return { ...totals, produced, ended: ended && !signal.aborted };
}

/** Check and seal share one trip to a seal thread; each is a stage of its own on the record. */
function recordSealing(batch: SealedBatch, records: number, around: Surroundings, parent: Context): void {
  const accepted = batch.macs.length;
  const check = { records, accepted, rejected: batch.rejected.length, warnings: batch.warnings };
  recordStage('check', { counts: check, milliseconds: batch.checkMilliseconds }, around, parent);
  const seal = { records: accepted, fields: batch.sealedFields };
  recordStage('seal', { counts: seal, keyIds: batch.keyIds, milliseconds: batch.sealMilliseconds }, around, parent);
}

function lettersOf(
  batch: SealedBatch,
  raws: readonly Raw[],
  contract: CompiledContract,
  sourceName: string,
  firstTimestamp: number,
  traceparent: string | undefined,
): DeadLetter[] {
  return batch.rejected.map(({ index, rejection, subject }) => {
    const raw = raws[index];
    return {
      code: rejection.code,
      stage: rejection.code === 'MESSAGE_TOO_LARGE' || rejection.code === 'SUBJECT_ERASED' ? 'seal' : 'check',
      property: rejection.property,
      detail: rejection.detail,
      position: `${sourceName}:${raw?.position ?? 0}`,
      subject,
      writeTimestamp: String(firstTimestamp + index),
      traceparent,
      content: { kind: 'record', fields: contract.sourceFields, values: (raw?.values ?? []).map(asJson) },
    };
  });
}

function letterOfInput(sourceName: string, item: Malformed, traceparent: string | undefined): DeadLetter {
  return {
    code: item.code,
    stage: 'source',
    detail: item.detail,
    position: `${sourceName}:${item.position}`,
    subject: undefined,
    writeTimestamp: undefined,
    traceparent,
    content: {
      kind: 'input',
      bytes: Buffer.from(item.bytes).toString('base64'),
      totalBytes: item.totalBytes,
      sha256: item.sha256,
    },
  };
}

function asJson(value: unknown): JsonValue {
  return value === undefined ? null : typeof value === 'bigint' ? String(value) : (value as JsonValue);
}

/** Names a process's work in event identities: the same text for the same process only. */
export function attemptName(install: string, started: number, processId: number): string {
  return hash('sha256', `${install}/${started}/${processId}`, 'hex').slice(0, 16);
}
