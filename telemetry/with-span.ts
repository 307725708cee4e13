import {
  context,
  SpanStatusCode,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanKind,
  type Tracer,
} from '@opentelemetry/api';
import { WardlineError } from '../core/errors/errors.ts';
import { ATTRIBUTES, type KnownAttributes, type SpanName } from './names.ts';

export interface SpanSettings {
  /** The parent's context; the active one unless given (see `contextFromTraceparent`). */
  readonly parent?: Context | undefined;
  readonly links?: Link[];
  readonly kind?: SpanKind;
}

/**
 * Runs `work` inside a span, which is active meanwhile, and ends it in every case. A failure marks the span with the
 * error's code only: messages of foreign errors may quote the input. Rethrows what `work` throws.
 */
export async function withSpan<T>(
  tracer: Tracer,
  name: SpanName,
  attributes: KnownAttributes,
  work: (span: Span) => Promise<T> | T,
  { parent = context.active(), ...options }: SpanSettings = {},
): Promise<T> {
  return tracer.startActiveSpan(name, { ...options, attributes: attributes as Attributes }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      const code = errorType(error);
      span.setAttribute(ATTRIBUTES.errorType, code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: code });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Adds what became known while the span ran: counts, ids, ranges. */
export function setFacts(span: Span, facts: KnownAttributes): void {
  span.setAttributes(facts as Attributes);
}

/** The code of one of our errors, else the class of a foreign one: never its message. */
function errorType(error: unknown): string {
  if (error instanceof WardlineError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
