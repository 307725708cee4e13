import type { tracing } from '@opentelemetry/sdk-node';
import { ATTRIBUTES } from '../names.ts';

const KNOWN: ReadonlySet<string> = new Set(Object.values(ATTRIBUTES));

/** What a status may say: an error's code or class. Sentences may quote a value. */
const STATUS_MESSAGE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * Lets a span out only with attributes that names.ts knows, without events (an exception's message may quote its input)
 * and with a status that is a code. So a careless line elsewhere cannot put a value into a trace.
 */
export function onlyKnownAttributes(next: tracing.SpanProcessor): tracing.SpanProcessor {
  return {
    onStart: (span, parent) => next.onStart(span, parent),
    onEnd: (span) => next.onEnd(clean(span)),
    forceFlush: () => next.forceFlush(),
    shutdown: () => next.shutdown(),
  };
}

function clean(span: tracing.ReadableSpan): tracing.ReadableSpan {
  const unknown = Object.keys(span.attributes).some((name) => !KNOWN.has(name));
  const { message } = span.status;
  const talkative = message !== undefined && !STATUS_MESSAGE.test(message);
  if (!unknown && !talkative && span.events.length === 0 && span.links.every((link) => link.attributes === undefined))
    return span;
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([name]) => KNOWN.has(name)));
  // The span's members are partly getters of its class: what is not replaced is looked up there.
  return Object.create(span, {
    attributes: { value: attributes },
    events: { value: [] },
    links: { value: span.links.map(({ context }) => ({ context })) },
    status: { value: talkative ? { code: span.status.code } : span.status },
  }) as tracing.ReadableSpan;
}
