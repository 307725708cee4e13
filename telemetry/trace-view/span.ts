import { z } from 'zod';

/** A span as the trace view shows it. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly service: string;
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly failed: boolean;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export type AttributeValue = string | number | boolean | readonly AttributeValue[];

const nanoseconds = z.union([z.string().regex(/^\d+$/), z.int()]).transform(BigInt);
const scalar = z.union([
  z.object({ stringValue: z.string() }).transform((value) => value.stringValue),
  z.object({ intValue: z.union([z.int(), z.string().regex(/^-?\d+$/)]) }).transform((value) => Number(value.intValue)),
  z.object({ doubleValue: z.number() }).transform((value) => value.doubleValue),
  z.object({ boolValue: z.boolean() }).transform((value) => value.boolValue),
]);
const anyValue = z.union([
  scalar,
  z
    .object({ arrayValue: z.object({ values: z.array(scalar).default([]) }) })
    .transform((value) => value.arrayValue.values),
]);
const attributes = z.array(z.object({ key: z.string(), value: anyValue })).default([]);

/** Status code of a span that failed (OTLP, `Status.StatusCode`). */
const STATUS_ERROR = 2;

/** The part of OTLP in JSON (`ExportTraceServiceRequest`) that the view needs. */
const exportSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              startTimeUnixNano: nanoseconds,
              endTimeUnixNano: nanoseconds,
              attributes,
              status: z.object({ code: z.int().default(0) }).default({ code: 0 }),
              links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** Reads the spans of one line of a traces file. A line that is not whole (a process was killed in it) holds none. */
export function parseSpans(line: string): TraceSpan[] {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return [];
  }
  const request = exportSchema.safeParse(json);
  return (request.data?.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const service = record(resource.attributes)['service.name'] ?? 'unknown';
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map(({ startTimeUnixNano, endTimeUnixNano, status, parentSpanId, ...span }) => ({
        ...span,
        service: String(service),
        parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
        start: startTimeUnixNano,
        end: endTimeUnixNano,
        attributes: record(span.attributes),
        failed: status.code === STATUS_ERROR,
      }));
  });
}

function record(list: readonly { key: string; value: AttributeValue }[]): Record<string, AttributeValue> {
  return Object.fromEntries(list.map(({ key, value }) => [key, value]));
}
