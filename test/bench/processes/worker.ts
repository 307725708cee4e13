import { openWorker } from '../../../pipeline/run.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { discardEvents } from './discard-events.ts';
import {
  answer,
  configuration,
  endOfProcess,
  openEnvironment,
  peakMegabytes,
  type PipelinePlace,
} from './environment.ts';
import { topicEnds } from './topic-ends.ts';

/** What the worker process is told. */
export interface WorkerWork extends PipelinePlace {
  /** Works until it is asked to end, instead of to the end of what the topic holds now. */
  readonly endless: boolean;
  /** Makes its audit events, and sends them nowhere. */
  readonly discardsEvents?: boolean;
}

export interface WorkerAnswer {
  readonly records: number;
  /** From the first batch being in hand to the last commit. */
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMegabytes: number;
}

const work = configuration() as WorkerWork;
if (work.discardsEvents === true) discardEvents();
const stop = endOfProcess();
const { environment, close } = await openEnvironment('worker', work, stop);
const { topic } = environment.contract;
const ends = work.endless ? undefined : await topicEnds(kafkaClient(environment.connection, 'worker'), topic.name);
const done = Promise.withResolvers<undefined>();
let records = 0;
let began = 0;
let before = process.cpuUsage();
let seconds = 0;
let processorSeconds = 0;

/** The first batch is in hand when its first stage starts: the same moment at which the bare loop starts its clock. */
const tracer = environment.telemetry.tracer;
const watched = {
  startSpan(...call: Parameters<typeof tracer.startSpan>) {
    if (began === 0) {
      began = performance.now();
      before = process.cpuUsage();
    }
    return tracer.startSpan(...call);
  },
  startActiveSpan: tracer.startActiveSpan.bind(tracer),
};
const telemetry = { ...environment.telemetry, tracer: watched };

const opened = await openWorker(
  { ...environment, telemetry },
  {
    progress: { onStored: (rows) => (records += rows) },
    onCommitted(next) {
      for (const [partition, offset] of next) if (offset >= (ends?.get(partition) ?? Infinity)) ends?.delete(partition);
      if (ends?.size !== 0) return;
      seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(before);
      processorSeconds = (user + system) / 1e6;
      done.resolve(undefined);
    },
  },
);
stop.addEventListener('abort', () => done.resolve(undefined), { once: true });
const running = opened.run();
if (work.endless) process.stdout.write('working\n');
await Promise.race([running, done.promise]);
answer({ records, seconds, processorSeconds, peakMegabytes: peakMegabytes() } satisfies WorkerAnswer);
await opened.stop();
await opened.close();
await close();
process.exit();
