import type { Counter, Gauge, Histogram, Meter } from '@opentelemetry/api';
import { METRICS, type KnownAttributes } from './names.ts';

type Attributes = KnownAttributes & Record<string, string | number | boolean>;
type Definition = (typeof METRICS)[keyof typeof METRICS];

/** Upper bounds of the histograms' buckets in seconds: from a single request to a stalled server. */
const DURATION_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Everything that Wardline measures, ready to be recorded. Made once per process. */
export function createInstruments(meter: Meter) {
  const counter = ({ name, ...options }: Definition): Counter<Attributes> => meter.createCounter(name, options);
  const gauge = ({ name, ...options }: Definition): Gauge<Attributes> => meter.createGauge(name, options);
  const duration = ({ name, ...options }: Definition): Histogram<Attributes> =>
    meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: DURATION_BOUNDS } });
  return {
    records: counter(METRICS.records),
    stageDuration: duration(METRICS.stageDuration),
    deadLetters: counter(METRICS.deadLetters),
    sealedFields: counter(METRICS.sealedFields),
    sealDuration: duration(METRICS.sealDuration),
    lag: gauge(METRICS.lag),
    latency: duration(METRICS.latency),
    auditDuration: duration(METRICS.auditDuration),
    auditWaits: counter(METRICS.auditWaits),
    retries: counter(METRICS.retries),
    sent: counter(METRICS.sent),
    consumed: counter(METRICS.consumed),
    messagingDuration: duration(METRICS.messagingDuration),
    archiveLag: gauge(METRICS.archiveLag),
    archived: counter(METRICS.archived),
    archivedBytes: counter(METRICS.archivedBytes),
    archiveGaps: counter(METRICS.archiveGaps),
    drillRpo: gauge(METRICS.drillRpo),
    drillRto: gauge(METRICS.drillRto),
    drills: counter(METRICS.drills),
    databaseDuration: duration(METRICS.databaseDuration),
  } as const;
}

export type Instruments = ReturnType<typeof createInstruments>;
