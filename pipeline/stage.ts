import { SpanStatusCode, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { asWardlineError } from '../core/errors/errors.ts';
import { retry, type RetryPolicy } from '../core/async/retry.ts';
import { ATTRIBUTES, SPAN_NAMES, type AttributeName, type SpanName } from '../telemetry/names.ts';
import type { StageFacts, StageName } from './facts.ts';
import { windowOf } from './window/window.ts';

export interface StageOutcome<Output> {
  readonly output: Output;
  readonly facts: StageFacts;
}

/** The body of a stage: a plain function. Audit, trace, retry and metrics are put around it from outside, here and nowhere else. */
export type StageBody<Input, Output> = (input: Input) => Promise<StageOutcome<Output>> | StageOutcome<Output>;

/** What surrounds every stage of a process. */
export interface Surroundings {
  readonly tracer: Tracer;
  /** Counts and times for the metrics. */
  measure(stage: StageName, facts: StageFacts, milliseconds: number): void;
  /** An attempt of a stage failed and will be made again. */
  repeated(stage: StageName): void;
  /** An attempt of a stage has neither ended nor failed for so many seconds: a server that hangs says nothing by itself. */
  silent(stage: StageName, seconds: number): void;
  /** How infrastructure faults are waited out. */
  readonly retry: RetryPolicy;
}

/** After this time without an answer, in seconds, a stage says that it waits. */
const SILENCE_SECONDS = 10;

/**
 * Puts trace, retry and fact-keeping around a stage body. Its facts go into the window that the context carries, and so
 * into that window's audit event. Rejects only when the body's error is not retryable or the process is stopping.
 */
export function stage<Input, Output>(
  name: StageName,
  body: StageBody<Input, Output>,
  around: Surroundings,
): (input: Input, parent: Context) => Promise<Output> {
  const policy: RetryPolicy = {
    ...around.retry,
    onRetry: (...failure) => {
      around.repeated(name);
      around.retry.onRetry?.(...failure);
    },
  };
  const attempt = async (input: Input): Promise<StageOutcome<Output>> => {
    const timer = setTimeout(() => around.silent(name, SILENCE_SECONDS), SILENCE_SECONDS * 1000);
    try {
      return await body(input);
    } finally {
      clearTimeout(timer);
    }
  };
  return async (input, parent) => {
    const span = around.tracer.startSpan(SPAN_OF[name], {}, parent);
    const started = performance.now();
    try {
      const { output, facts } = await retry(() => attempt(input), policy);
      setCounts(span, facts);
      keepFacts(name, facts, facts.milliseconds ?? performance.now() - started, around, parent);
      return output;
    } catch (error) {
      // The code only: a message may hold what a driver put into it.
      span.setStatus({ code: SpanStatusCode.ERROR, message: asWardlineError(error).code });
      throw error;
    } finally {
      span.end();
    }
  };
}

/** Records a stage that ran inside another call (check and seal share one trip to a seal thread), as a span of its own. */
export function recordStage(
  name: StageName,
  facts: StageFacts & { readonly milliseconds: number },
  around: Surroundings,
  parent: Context,
): void {
  const end = Date.now();
  const span = around.tracer.startSpan(SPAN_OF[name], { startTime: end - facts.milliseconds }, parent);
  setCounts(span, facts);
  span.end(end);
  keepFacts(name, facts, facts.milliseconds, around, parent);
}

/** The trace id of a context, or undefined outside a trace. */
export function traceIdOf(context: Context): string | undefined {
  return trace.getSpanContext(context)?.traceId;
}

const SPAN_OF: Readonly<Record<StageName, SpanName>> = {
  source: SPAN_NAMES.source,
  check: SPAN_NAMES.check,
  seal: SPAN_NAMES.seal,
  produce: SPAN_NAMES.produce,
  consume: SPAN_NAMES.consume,
  transform: SPAN_NAMES.transform,
  store: SPAN_NAMES.store,
  'dead-letter': SPAN_NAMES.deadLetter,
};

/** Which attribute shows which count. Counts without an entry are in the audit events and metrics only. */
const ATTRIBUTE_OF: Readonly<Record<string, AttributeName>> = {
  records: ATTRIBUTES.recordsIn,
  accepted: ATTRIBUTES.recordsOut,
  verified: ATTRIBUTES.recordsOut,
  rows: ATTRIBUTES.recordsOut,
  rejected: ATTRIBUTES.deadLetters,
  dead_letters: ATTRIBUTES.deadLetters,
  warnings: ATTRIBUTES.warnings,
  fields: ATTRIBUTES.sealedFields,
  bytes: ATTRIBUTES.bytes,
  batches: ATTRIBUTES.batches,
};

function setCounts(span: Span, facts: StageFacts): void {
  for (const [name, count] of Object.entries(facts.counts)) {
    const attribute = ATTRIBUTE_OF[name];
    if (attribute !== undefined) span.setAttribute(attribute, count);
  }
}

function keepFacts(
  name: StageName,
  facts: StageFacts,
  milliseconds: number,
  around: Surroundings,
  parent: Context,
): void {
  windowOf(parent)?.record(name, facts);
  around.measure(name, facts, milliseconds);
}
