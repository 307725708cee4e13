import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { createBell } from '../core/async/bell.ts';
import { retry } from '../core/async/retry.ts';
import { SPAN_NAMES } from '../telemetry/names.ts';
import { countStored, trackPartitions } from './count-stored.ts';
import { countLetters } from './dead-letters/count.ts';
import { surroundingsOf, type Environment } from './environment.ts';
import { openSource, openWorker, type SourceOptions } from './run.ts';
import { traceIdOf } from './stage.ts';

/** What a run came to: counted where it happened, and in Cassandra itself. */
export interface RunSummary {
  readonly recordsRead: number;
  /** Distinct keys that this run left in Cassandra. */
  readonly recordsStored: number;
  /** Records whose key came again: the last one won. */
  readonly duplicates: number;
  readonly deadLetters: number;
  readonly sealedFields: number;
  readonly seconds: number;
  readonly traceId: string | undefined;
  /** False where the run was asked to stop before the source's end: the next one goes on there. */
  readonly ended: boolean;
}

export interface RunOptions extends SourceOptions {
  /** More dead letters than this end the run with TOO_MANY_DEAD_LETTERS. */
  readonly maxDeadLetters?: number | undefined;
}

/** How often the group's commits are looked up, in milliseconds: another worker may hold some of the partitions. */
const COMMIT_CHECK_INTERVAL = 1000;

/**
 * Runs source and worker side by side until the source has ended and all it produced is stored, audited and committed;
 * then counts in Cassandra what is there. Rejects with the first fatal error, and with TOO_MANY_DEAD_LETTERS.
 */
export async function runToEnd(environment: Environment, options: RunOptions): Promise<RunSummary> {
  const { contract, telemetry, clock } = environment;
  const span = telemetry.tracer.startSpan(SPAN_NAMES.run);
  const parent = trace.setSpan(ROOT_CONTEXT, span);
  const started = clock.now();
  const touched = trackPartitions(contract);
  const letters = countLetters(options.maxDeadLetters ?? Infinity);
  const commits = createBell();
  const progress = { ...options.progress, onDeadLetters: letters.add };
  const patience = surroundingsOf(environment).retry;

  const worker = await openWorker(environment, {
    onStored: (rows) => touched.add(rows),
    onCommitted: commits.ring,
    progress,
  });
  const ending = new AbortController();
  const stop = AbortSignal.any([environment.stop, ending.signal]);
  const source = await openSource({ ...environment, stop }, { ...options, progress });
  const reading = source.run(parent);
  try {
    // Rejects when the worker ends before it is asked to, or too many records are dead; never resolves.
    const failed = Promise.race([worker.run().then(() => new Promise<never>(() => undefined)), letters.tooMany]);
    const summary = await Promise.race([reading, failed]);
    const commitsOfGroup = (): ReturnType<typeof worker.committed> =>
      Promise.race([retry(worker.committed, patience), failed]);
    let committed = await commitsOfGroup();
    while (![...summary.produced].every(([partition, { end }]) => (committed.get(partition)?.offset ?? -1n) >= end)) {
      await Promise.race([commits.next(COMMIT_CHECK_INTERVAL), failed]);
      committed = await commitsOfGroup();
    }
    const seconds = (clock.now() - started) / 1000;
    await worker.stop();
    const ranges = new Map(
      [...summary.produced].map(([partition, range]) => [
        partition,
        { ...range, incarnation: committed.get(partition)?.incarnation ?? '' },
      ]),
    );
    const recordsStored = await retry(() => countStored(worker.cassandra, contract, ranges, touched), patience);
    return {
      recordsRead: summary.recordsRead,
      recordsStored,
      duplicates: Math.max(0, summary.recordsRead - letters.count() - recordsStored),
      deadLetters: letters.count(),
      sealedFields: summary.sealedFields,
      seconds,
      traceId: traceIdOf(parent),
      ended: summary.ended,
    };
  } finally {
    // Where the worker failed the source is still at work, and would open again what is closed under it.
    ending.abort();
    await Promise.allSettled([reading]);
    span.end();
    await Promise.allSettled([source.close(), worker.close()]);
  }
}
