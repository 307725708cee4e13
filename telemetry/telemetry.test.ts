import { SpanStatusCode } from '@opentelemetry/api';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WardlineError } from '../core/errors/errors.ts';
import { createInstruments } from './instruments.ts';
import { createLog } from './log.ts';
import { ATTRIBUTES, METRICS, SPAN_NAMES } from './names.ts';
import { contextFromTraceparent, traceparentOf } from './propagation.ts';
import { rotatedFiles } from './files/rotating-file.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';
import { drawTrace, traceJson } from './trace-view/draw.ts';
import { readTrace } from './trace-view/read.ts';
import { setFacts, withSpan } from './with-span.ts';

const MARKER = 'marker-a93d';

let folder: string;
let telemetry: Telemetry | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'telemetry-'));
});
afterEach(async () => {
  await telemetry?.shutdown();
  telemetry = undefined;
  rmSync(folder, { recursive: true });
});

const start = async (
  service: string,
  otlpEndpoint?: string,
  onProblem?: (message: string) => void,
): Promise<Telemetry> =>
  (telemetry = await startTelemetry({
    service,
    folder,
    settings: { logLevel: 'silent', ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }) },
    onProblem,
  }));

const written = (prefix: string): string =>
  rotatedFiles(folder, prefix)
    .map((path) => readFileSync(path, 'utf8'))
    .join('');

describe('telemetry to files', () => {
  it('keeps one trace through a header, from one process to the next, and draws it', async () => {
    const source = await start('source');
    const header = await withSpan(source.tracer, SPAN_NAMES.sourceBatch, {}, async (span) => {
      await withSpan(source.tracer, SPAN_NAMES.check, {}, (check) => setFacts(check, { [ATTRIBUTES.recordsOut]: 7 }));
      return traceparentOf(span);
    });
    await source.shutdown();
    const worker = await start('worker');
    await withSpan(worker.tracer, SPAN_NAMES.store, {}, () => undefined, { parent: contextFromTraceparent(header) });
    await worker.flush();

    const { traceId, roots } = readTrace(folder, 'latest');
    expect(header).toContain(traceId);
    const drawn = drawTrace(traceId, roots)
      .replaceAll(/ +[\d.]+ m?s/g, ' TIME')
      .replaceAll(/ +(?=records)/g, ' ');
    expect(drawn.split('\n')).toEqual([
      `trace ${traceId}`,
      'source batch [wardline-source] TIME',
      '├─ stage check [wardline-source] TIME records.out=7',
      '└─ stage store [wardline-worker] TIME',
      '',
    ]);
    expect(traceJson(traceId, roots)).toMatchObject({ spans: [{ name: 'source batch', children: [{}, {}] }] });
  });

  it('writes no attribute that is not known, no exception and no message of a foreign error', async () => {
    const { tracer, meter, shutdown } = await start('source');
    await withSpan(tracer, SPAN_NAMES.seal, { [ATTRIBUTES.sealedFields]: 3 }, (span) => {
      span.setAttribute('value', MARKER);
      span.addEvent(MARKER);
      span.recordException(new Error(MARKER));
      span.addLink({ context: span.spanContext(), attributes: { value: MARKER } });
      span.setStatus({ code: SpanStatusCode.ERROR, message: `cannot seal ${MARKER}` });
    });
    await expect(
      withSpan(tracer, SPAN_NAMES.check, {}, () => Promise.reject(new SyntaxError(`unexpected ${MARKER}`))),
    ).rejects.toThrow(SyntaxError);
    await expect(
      withSpan(tracer, SPAN_NAMES.store, {}, () => Promise.reject(new WardlineError('CASSANDRA_UNREACHABLE', MARKER))),
    ).rejects.toThrow(WardlineError);
    meter.createCounter('wardline.test').add(1, { value: MARKER });
    await shutdown();
    const all = written('traces-source') + written('metrics-source');
    expect(all).not.toContain(MARKER);
    expect(all).toContain('wardline.sealed_fields');
    expect(all).toContain('SyntaxError');
    expect(all).toContain('CASSANDRA_UNREACHABLE');
  });

  it('writes what was measured, in the buckets that durations need', async () => {
    const { meter, shutdown } = await start('worker');
    const instruments = createInstruments(meter);
    instruments.records.add(5, { [ATTRIBUTES.stage]: 'store' });
    instruments.lag.record(12, { [ATTRIBUTES.messagingPartition]: '0' });
    instruments.databaseDuration.record(0.004, {});
    await shutdown();
    const metrics = written('metrics-worker');
    for (const { name } of [METRICS.records, METRICS.lag, METRICS.databaseDuration])
      expect(metrics).toContain(`"${name}"`);
    expect(metrics).toContain('"explicitBounds":[0.001,0.0025');
  });

  it('gives log lines the ids of the active span', async () => {
    const { tracer } = await start('source');
    const lines: string[] = [];
    const { logger } = createLog({ service: 'source', level: 'info', write: (line) => lines.push(line) });
    const traceId = await withSpan(tracer, SPAN_NAMES.run, {}, (span) => {
      logger.info('inside');
      return span.spanContext().traceId;
    });
    logger.info('outside');
    expect(lines[0]).toContain(`"trace_id":"${traceId}"`);
    expect(lines[1]).not.toContain('trace_id');
  });

  it('leaves no spans in the process after it was stopped, and can start again', async () => {
    const first = await start('source');
    await first.shutdown();
    const second = await start('source');
    await withSpan(second.tracer, SPAN_NAMES.run, {}, () => undefined);
    await second.shutdown();
    expect(written('traces-source')).toContain('"name":"run"');
  });
});

describe('telemetry to a collector', () => {
  it('goes to the endpoint over OTLP and not to files', async () => {
    const received: string[] = [];
    const server = createServer((request, response) => {
      received.push(request.url ?? '');
      request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const { tracer, meter, shutdown } = await start('source', `http://127.0.0.1:${port}/`);
      await withSpan(tracer, SPAN_NAMES.run, {}, () => undefined);
      createInstruments(meter).records.add(1, {});
      await shutdown();
      expect(received.sort()).toEqual(['/v1/metrics', '/v1/traces']);
      expect(rotatedFiles(folder, 'traces-source')).toEqual([]);
    } finally {
      server.close();
    }
  });

  it('that does not answer neither fails nor holds up what it observes, and is told', async () => {
    const problems: string[] = [];
    const { tracer, shutdown } = await start('source', 'http://127.0.0.1:9', (message) => problems.push(message));
    await expect(withSpan(tracer, SPAN_NAMES.run, {}, () => 'result')).resolves.toBe('result');
    const begun = performance.now();
    await shutdown();
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(problems.length).toBeGreaterThan(0);
  });
});
