import { randomUUID } from 'node:crypto';
import { Agent } from 'node:https';
import type { SecureContext } from 'node:tls';
import { context, diag, DiagLogLevel, metrics, propagation, trace, type Meter, type Tracer } from '@opentelemetry/api';
import type { metrics as sdkMetrics, tracing } from '@opentelemetry/sdk-node';
import { systemClock, type Clock } from '../core/clock.ts';
import type { Settings } from '../core/configuration.ts';
import { asWardlineError } from '../core/errors/errors.ts';
import { onlyKnownAttributes } from './redaction/known-attributes.ts';
import { ATTRIBUTES } from './names.ts';
import { RotatingFile } from './files/rotating-file.ts';

/** Names the code that makes spans and measurements (OpenTelemetry "instrumentation scope"). */
const SCOPE = 'wardline';

const MAXIMUM_FILE_BYTES = 8 * 1024 * 1024;
const MAXIMUM_FILES = 8;

/** Spans wait at most this long, so that `trace` shows a run soon after it ends. */
const SPAN_DELAY_MILLISECONDS = 1000;
/** Spans beyond this number of waiting ones are dropped: telemetry never slows a record down. */
const SPAN_QUEUE = 8192;
const METRIC_INTERVAL_MILLISECONDS = 10_000;
/** A collector that does not answer delays the end of a process by no more than this. */
const EXPORT_TIMEOUT_MILLISECONDS = 3000;

export interface TelemetryOptions {
  /** What runs, such as `source` or `worker`: `service.name` is `wardline-<service>`. */
  readonly service: string;
  /** The home's telemetry folder: where files go when no collector is set. */
  readonly folder: string;
  readonly settings: Settings['telemetry'];
  /** The TLS context of a connection to the collector that is made now. Without it, Node's own. */
  readonly tls?: (() => SecureContext) | undefined;
  readonly version?: string | undefined;
  readonly clock?: Clock;
  /** Told when telemetry itself has a problem, such as a collector that does not answer. */
  readonly onProblem?: ((message: string) => void) | undefined;
}

export interface Telemetry {
  readonly tracer: Tracer;
  readonly meter: Meter;
  /** Sends or writes what has been recorded so far. Never rejects. */
  readonly flush: () => Promise<void>;
  /** Flushes and stops. Never rejects: that telemetry is lost must not fail what it observed. */
  readonly shutdown: () => Promise<void>;
}

interface Exporters {
  readonly spans: tracing.SpanExporter;
  readonly metrics: sdkMetrics.PushMetricExporter;
}

/**
 * Starts OpenTelemetry for this process: OTLP over HTTP where an endpoint is set, else rotated files in the folder
 * (`traces-<service>-…` and `metrics-<service>-…`, OTLP in JSON, mode 0600). The SDK is loaded here and not with this
 * file, so that a command without telemetry does not pay for it.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { service, version, onProblem } = options;
  const [{ NodeSDK, tracing: sdkTracing, metrics: sdk, resources }, exporters] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    options.settings.otlpEndpoint === undefined
      ? fileExporters(options)
      : otlpExporters(options.settings.otlpEndpoint, options.tls),
  ]);
  if (onProblem !== undefined) reportProblems(onProblem);
  const batches = new sdkTracing.BatchSpanProcessor(exporters.spans, {
    scheduledDelayMillis: SPAN_DELAY_MILLISECONDS,
    maxQueueSize: SPAN_QUEUE,
    exportTimeoutMillis: EXPORT_TIMEOUT_MILLISECONDS,
  });
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter: exporters.metrics,
    exportIntervalMillis: METRIC_INTERVAL_MILLISECONDS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MILLISECONDS,
  });
  const sdkInstance = new NodeSDK({
    resource: resources.resourceFromAttributes({
      'service.name': `wardline-${service}`,
      'service.instance.id': randomUUID(),
      ...(version === undefined ? {} : { 'service.version': version }),
    }),
    // Detectors would add this process's arguments, which may name a data subject.
    autoDetectResources: false,
    spanProcessors: [onlyKnownAttributes(batches)],
    metricReaders: [reader],
    views: [
      {
        instrumentName: '*',
        attributesProcessors: [sdk.createAllowListAttributesProcessor(Object.values(ATTRIBUTES))],
      },
    ],
    // Without this the SDK would send logs to a collector on this host.
    logRecordProcessors: [],
  });
  sdkInstance.start();
  const settle = async (work: readonly Promise<void>[]): Promise<void> => {
    for (const outcome of await Promise.allSettled(work))
      if (outcome.status === 'rejected') onProblem?.(asWardlineError(outcome.reason).message);
  };
  return {
    tracer: trace.getTracer(SCOPE, version),
    meter: metrics.getMeter(SCOPE, version),
    flush: () => settle([batches.forceFlush(), reader.forceFlush()]),
    shutdown: async () => {
      await settle([sdkInstance.shutdown()]);
      for (const api of [trace, metrics, context, propagation]) api.disable();
      diag.disable();
    },
  };
}

async function fileExporters({ folder, service, clock = systemClock }: TelemetryOptions): Promise<Exporters> {
  const { fileMetricExporter, fileSpanExporter } = await import('./files/file-exporters.ts');
  const limits = {
    folder,
    clock,
    processId: process.pid,
    maximumBytes: MAXIMUM_FILE_BYTES,
    maximumFiles: MAXIMUM_FILES,
  };
  return {
    spans: fileSpanExporter(new RotatingFile({ ...limits, prefix: `traces-${service}` })),
    metrics: fileMetricExporter(new RotatingFile({ ...limits, prefix: `metrics-${service}` })),
  };
}

async function otlpExporters(endpoint: string, tls: TelemetryOptions['tls']): Promise<Exporters> {
  const [{ OTLPTraceExporter }, { OTLPMetricExporter }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
  ]);
  const base = endpoint.replace(/\/+$/, '');
  const common = {
    timeoutMillis: EXPORT_TIMEOUT_MILLISECONDS,
    ...(tls === undefined ? {} : { httpAgentOptions: () => renewingAgent(tls) }),
  };
  return {
    spans: new OTLPTraceExporter({ ...common, url: `${base}/v1/traces` }),
    metrics: new OTLPMetricExporter({ ...common, url: `${base}/v1/metrics` }),
  };
}

/** Takes the certificate of the moment for each connection it makes: they are rotated while processes run. */
function renewingAgent(tls: () => SecureContext): Agent {
  // A session that is resumed would show the certificate that it began with.
  const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, done) => {
    try {
      return connect({ ...options, ...{ secureContext: tls() } }, done);
    } catch (error) {
      // A damaged file loses telemetry, and fails nothing that it observes.
      done?.(asWardlineError(error), null as never);
      return undefined;
    }
  };
  return agent;
}

function reportProblems(onProblem: (message: string) => void): void {
  const silent = (): void => undefined;
  const logger = { error: onProblem, warn: onProblem, info: silent, debug: silent, verbose: silent };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
