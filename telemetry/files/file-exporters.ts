import { JsonMetricsSerializer, JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { core, type metrics, type tracing } from '@opentelemetry/sdk-node';
import type { RotatingFile } from './rotating-file.ts';

const LINE_BREAK = Buffer.from('\n');

/**
 * Writes spans as OTLP in JSON, one export a line: the form of the OpenTelemetry "OTLP file exporter" specification,
 * which the OpenTelemetry Collector reads.
 */
export function fileSpanExporter(file: RotatingFile): tracing.SpanExporter {
  return {
    export: (spans, done) => done(writeLine(file, () => JsonTraceSerializer.serializeRequest(spans))),
    forceFlush: () => Promise.resolve(),
    shutdown: () => closed(file),
  };
}

/** Writes metrics in the same form as spans. Counts are cumulative since the process began. */
export function fileMetricExporter(file: RotatingFile): metrics.PushMetricExporter {
  return {
    export: (measured, done) => done(writeLine(file, () => JsonMetricsSerializer.serializeRequest(measured))),
    forceFlush: () => Promise.resolve(),
    shutdown: () => closed(file),
  };
}

/** A disk that is full costs the telemetry of that moment and nothing else: the SDK is told, the pipeline goes on. */
function writeLine(file: RotatingFile, serialize: () => Uint8Array | undefined): core.ExportResult {
  try {
    const line = serialize();
    if (line !== undefined) file.write(Buffer.concat([line, LINE_BREAK]));
    return { code: core.ExportResultCode.SUCCESS };
  } catch (error) {
    return { code: core.ExportResultCode.FAILED, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function closed(file: RotatingFile): Promise<void> {
  file.close();
  return Promise.resolve();
}
