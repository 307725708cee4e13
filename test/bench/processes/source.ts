import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { systemClock, sleep } from '../../../core/clock.ts';
import { openSource } from '../../../pipeline/run.ts';
import { csvSource } from '../../../pipeline/sources/files/csv.ts';
import { limit } from '../../../pipeline/sources/wrap/limit.ts';
import { atRate } from '../../../pipeline/sources/wrap/pace.ts';
import { SPAN_NAMES } from '../../../telemetry/names.ts';
import {
  answer,
  configuration,
  endOfProcess,
  openEnvironment,
  peakMegabytes,
  type PipelinePlace,
} from './environment.ts';

/** What the source process is told: a CSV file, how much of it, and how fast. */
export interface SourceWork extends PipelinePlace {
  readonly path: string;
  /** Records that are passed over, because they stand on the topic already. */
  readonly skip: number;
  readonly records: number;
  readonly perSecond: number | null;
}

export interface SourceAnswer {
  readonly records: number;
  readonly sealedFields: number;
  /** From the start of reading to the last acknowledgement and its audit event. */
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMegabytes: number;
}

const work = configuration() as SourceWork;
const { environment, close } = await openEnvironment('source', work, endOfProcess());
const { batchRecords, rowLimitBytes } = environment.settings.source;
const file = limit(csvSource({ path: work.path, batchRecords, rowLimitBytes }), work.skip + work.records);
const paced =
  work.perSecond === null
    ? file
    : atRate(file, { records: work.perSecond, milliseconds: 1000 }, { clock: systemClock, sleep });
const source = await openSource(environment, {
  source: paced,
  from: { position: work.skip, writeTimestamp: 0 },
  onAcknowledged: () => undefined,
});
const span = environment.telemetry.tracer.startSpan(SPAN_NAMES.run);
const began = performance.now();
const before = process.cpuUsage();
const { recordsRead, sealedFields } = await source.run(trace.setSpan(ROOT_CONTEXT, span));
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(before);
span.end();
answer({
  records: recordsRead,
  sealedFields,
  seconds,
  processorSeconds: (user + system) / 1e6,
  peakMegabytes: peakMegabytes(),
} satisfies SourceAnswer);
await source.close();
await close();
process.exit();
