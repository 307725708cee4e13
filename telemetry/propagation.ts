import {
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

/** Name of the header that carries the trace through Kafka (W3C Trace Context). */
export const TRACEPARENT_HEADER = 'traceparent';

/** Version, trace id, span id, flags; a later version may append more (W3C Trace Context section 3.2). */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** A header longer than this is not looked at: it comes from outside. */
const LONGEST_TRACEPARENT = 256;

/** The W3C `traceparent` of a span, to be sent along; undefined where nothing is traced. */
export function traceparentOf(span: Span | undefined = trace.getSpan(context.active())): string | undefined {
  const spanContext = span?.spanContext() ?? INVALID_SPAN_CONTEXT;
  if (!isSpanContextValid(spanContext)) return undefined;
  const flags = (spanContext.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
  return `00-${spanContext.traceId}-${spanContext.spanId}-${flags}`;
}

/** The remote span that a `traceparent` names; undefined where the header is missing or malformed: tracing never stops a record. */
export function spanContextOf(header: string | Uint8Array | undefined): SpanContext | undefined {
  if (header === undefined || header.length > LONGEST_TRACEPARENT) return undefined;
  const text = typeof header === 'string' ? header : Buffer.from(header).toString('latin1');
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const spanContext = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

/** A context whose spans become children of the one that the header names; without a usable header they begin a trace of their own. */
export function contextFromTraceparent(header: string | Uint8Array | undefined): Context {
  const spanContext = spanContextOf(header);
  return spanContext === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** Links for a span that joins work of several traces, one for each different usable header. */
export function linksOf(headers: Iterable<string | Uint8Array | undefined>): Link[] {
  const links = new Map<string, Link>();
  for (const header of headers) {
    const spanContext = spanContextOf(header);
    if (spanContext !== undefined) links.set(`${spanContext.traceId}${spanContext.spanId}`, { context: spanContext });
  }
  return [...links.values()];
}
