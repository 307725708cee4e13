import { median } from '../figure.ts';
import type { WorkerAnswer, WorkerWork } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import { countRows, fillTopic, rewind } from '../rig/topic.ts';
import { inTurn, type Part } from './part.ts';

/** What the audit trail costs a worker: with its events acknowledged and stored, against events that go nowhere. */
export const trail: Part = async (rig) => {
  const { records, rounds } = rig.options;
  await fillTopic(rig, rig.sealed, records);
  const { home } = await rig.servers();
  const counts = new Set<number>();
  const run = async (discardsEvents: boolean): Promise<WorkerAnswer> => {
    await rewind(rig, rig.sealed);
    const work: WorkerWork = { home: home.path, contract: rig.sealed.path, endless: false, discardsEvents };
    const { result } = await startChild<WorkerAnswer>('worker', { ...work }, rig.options.profile).finished;
    counts.add(await countRows(rig, rig.sealed));
    return result;
  };
  const { full, discarded } = await inTurn(rounds, { full: () => run(false), discarded: () => run(true) });
  if (counts.size !== 1) throw new Error(`the runs stored different numbers of rows: ${[...counts].join(', ')}`);
  return {
    measured: true,
    how:
      `${records} sealed messages on one topic, as in the part worker; a fresh process, an empty table and the group at the beginning for each run; ` +
      'one side has its events acknowledged by Kafka before it commits, and a notary stores them meanwhile; the other makes and signs them, and sends them nowhere',
    figures: [
      {
        name: 'worker, full trail ÷ events discarded',
        value: rateOf(full) / rateOf(discarded),
        unit: '×',
        target: { atLeast: 0.95 },
      },
    ],
    absolutes: [
      { name: 'worker, full trail', value: rateOf(full), unit: 'records/s' },
      { name: 'worker, events discarded', value: rateOf(discarded), unit: 'records/s' },
    ],
  };
};

function rateOf(answers: readonly WorkerAnswer[]): number {
  return median(answers.map((answer) => answer.records / answer.seconds));
}
