import { defaultTextMapGetter, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { core } from '@opentelemetry/sdk-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextFromTraceparent, linksOf, spanContextOf, traceparentOf } from './propagation.ts';

// The example of W3C Trace Context section 3.2.4.
const HEADER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const oracle = (traceparent: string) =>
  trace.getSpanContext(
    new core.W3CTraceContextPropagator().extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter),
  );

describe('traceparent', () => {
  it('is read from text and from bytes, and written the same', () => {
    const expected = {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      traceFlags: 1,
      isRemote: true,
    };
    expect(spanContextOf(HEADER)).toEqual(expected);
    expect(spanContextOf(Buffer.from(HEADER))).toEqual(expected);
    expect(traceparentOf(trace.wrapSpanContext(expected))).toBe(HEADER);
    expect(traceparentOf(trace.getSpan(contextFromTraceparent(HEADER)))).toBe(HEADER);
  });

  it.each([
    undefined,
    '',
    HEADER.slice(0, -1),
    HEADER.replace('4bf9', '4BF9'),
    HEADER.replace('00-4', 'ff-4'),
    `${HEADER}-more`,
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    `01${HEADER.slice(2)}-${'x'.repeat(300)}`,
  ])('%s is not usable, and begins a trace of its own', (header) => {
    expect(spanContextOf(header)).toBeUndefined();
    expect(trace.getSpanContext(contextFromTraceparent(header))).toBeUndefined();
  });

  it('is read as the propagator of OpenTelemetry reads it', () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
    const headers = fc
      .tuple(fc.constantFrom('00', '01', 'fe', 'ff', '0'), hex(32), hex(16), hex(2), fc.constantFrom('', '-', '-x'))
      .map(([version, traceId, spanId, flags, more]) => `${version}-${traceId}-${spanId}-${flags}${more}`);
    fc.assert(
      fc.property(headers, (header) => {
        const theirs = oracle(header);
        const ours = spanContextOf(header);
        expect(ours?.traceId).toBe(theirs?.traceId);
        expect(ours?.spanId).toBe(theirs?.spanId);
        expect(ours?.traceFlags).toBe(theirs === undefined ? undefined : theirs.traceFlags & 1);
      }),
    );
  });

  it('gives one link for each different span', () => {
    const other = HEADER.replace('00f0', '00f1');
    expect(
      linksOf([HEADER, undefined, other, Buffer.from(HEADER), 'nonsense']).map((link) => link.context.spanId),
    ).toEqual(['00f067aa0ba902b7', '00f167aa0ba902b7']);
  });
});
