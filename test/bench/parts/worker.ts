import { median } from '../figure.ts';
import type { BareLoopAnswer, BareLoopWork } from '../processes/bare-loop.ts';
import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import type { Rig } from '../rig/rig.ts';
import { countRows, fillTopic, rewind } from '../rig/topic.ts';
import { inTurn, type Part } from './part.ts';

/** What the bare loop is tried with; its fastest pair is what ours is measured against. */
const TRIED = [
  { rowsPerBatch: 30, inFlight: 16 },
  { rowsPerBatch: 60, inFlight: 8 },
  { rowsPerBatch: 60, inFlight: 16 },
  { rowsPerBatch: 100, inFlight: 8 },
  { rowsPerBatch: 100, inFlight: 16 },
] as const;
const TRIAL_SHARE = 1 / 3;

type Tuning = Pick<BareLoopWork, 'rowsPerBatch' | 'inFlight'>;

/** The worker with everything on, against the bare loop over the same messages: consume, parse, write, and nothing else. */
export const worker: Part = async (rig) => {
  const { records, rounds } = rig.options;
  await fillTopic(rig, rig.sealed, records);
  const { home } = await rig.servers();
  const tuning = await bestTuning(rig, Math.round(records * TRIAL_SHARE));
  rig.report(`the bare loop is fastest with ${describe(tuning)}; now both in turn`);
  const counts = new Set<number>();
  const { ours, bare } = await inTurn(rounds, {
    ours: async () => {
      await rewind(rig, rig.sealed);
      const work = { home: home.path, contract: rig.sealed.path, endless: false };
      const { result } = await startChild<WorkerAnswer>('worker', work, rig.options.profile).finished;
      counts.add(await countRows(rig, rig.sealed));
      return result;
    },
    bare: async () => {
      const result = await bareLoop(rig, tuning, null);
      counts.add(await countRows(rig, rig.sealed));
      return result;
    },
  });
  if (counts.size !== 1) throw new Error(`the runs stored different numbers of rows: ${[...counts].join(', ')}`);
  return {
    measured: true,
    how:
      `${records} sealed messages on one topic, from the first batch in hand to the last acknowledged write (ours: to its audit event and commit too); a fresh process, ` +
      `an empty table and the group at the beginning for each run; the bare loop writes neither derived nor provenance columns, and commits nothing; it ran with ${describe(tuning)}`,
    figures: [{ name: 'worker ÷ bare loop', value: rateOf(ours) / rateOf(bare), unit: '×', target: { atLeast: 0.85 } }],
    absolutes: [
      { name: 'worker', value: rateOf(ours), unit: 'records/s' },
      { name: 'bare loop', value: rateOf(bare), unit: 'records/s' },
      { name: 'worker, processor time', value: perThousand(ours), unit: 'ms/1000 records' },
      { name: 'bare loop, processor time', value: perThousand(bare), unit: 'ms/1000 records' },
    ],
  };
};

async function bestTuning(rig: Rig, records: number): Promise<Tuning> {
  let best: { readonly tuning: Tuning; readonly rate: number } = { tuning: TRIED[0], rate: 0 };
  for (const tuning of TRIED) {
    rig.report(`trying the bare loop with ${describe(tuning)}`);
    const rate = rateOf([await bareLoop(rig, tuning, records)]);
    if (rate > best.rate) best = { tuning, rate };
  }
  return best.tuning;
}

async function bareLoop(rig: Rig, tuning: Tuning, records: number | null): Promise<BareLoopAnswer> {
  await rewind(rig, rig.sealed);
  const { home } = await rig.servers();
  const work: BareLoopWork = { home: home.path, contract: rig.sealed.path, ...tuning, records };
  return (await startChild<BareLoopAnswer>('bare-loop', { ...work }, rig.options.profile).finished).result;
}

function describe({ rowsPerBatch, inFlight }: Tuning): string {
  return `${rowsPerBatch} rows a batch and ${inFlight} batches in flight`;
}

function rateOf(answers: readonly (WorkerAnswer | BareLoopAnswer)[]): number {
  return median(answers.map((answer) => answer.records / answer.seconds));
}

/** Milliseconds of all cores together. */
function perThousand(answers: readonly (WorkerAnswer | BareLoopAnswer)[]): number {
  return median(answers.map((answer) => (answer.processorSeconds * 1e6) / answer.records));
}
