import { join, resolve } from 'node:path';
import { median } from '../figure.ts';
import { isInstalled, sparkPython } from '../peers/install.ts';
import { writeStores } from '../peers/spark/stores.ts';
import { sparkPlan, type SparkAnswer } from '../peers/spark/plan.ts';
import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild, watch } from '../rig/child.ts';
import { countRows, fillTopic, rewind } from '../rig/topic.ts';
import { writeFileAtomic } from '../../../core/files.ts';
import { inTurn, type Part } from './part.ts';

const JOB = resolve(import.meta.dirname, '../peers/spark/job.py');

/** The whole run from a topic to Cassandra: ours sealed, against Spark with its connector on the same records unsealed. */
export const spark: Part = async (rig) => {
  if (!isInstalled('spark')) return { measured: false, reason: 'its peer is not installed: add --install-peers' };
  const { records, rounds } = rig.options;
  await fillTopic(rig, rig.sealed, records);
  await fillTopic(rig, rig.clear, records);
  const { home, connection } = await rig.servers();
  const stores = await writeStores(connection, 'worker', join(rig.folder, 'spark'));
  const plan = join(rig.folder, 'spark', 'plan.json');
  writeFileAtomic(plan, JSON.stringify(sparkPlan(connection, rig.clear.contract, stores)));
  rig.report(`storing ${records} records, ours and Spark in turn`);
  const counts = new Set<number>();
  const { ours, peer } = await inTurn(rounds, {
    ours: async () => {
      await rewind(rig, rig.sealed);
      const work = { home: home.path, contract: rig.sealed.path, endless: false };
      const { seconds } = await startChild<WorkerAnswer>('worker', work).finished;
      counts.add(await countRows(rig, rig.sealed));
      return seconds;
    },
    peer: async () => {
      await rewind(rig, rig.clear);
      const { seconds } = await watch<SparkAnswer>(sparkPython(), [JOB, plan]).finished;
      counts.add(await countRows(rig, rig.clear));
      return seconds;
    },
  });
  if (counts.size !== 1) throw new Error(`the runs stored different numbers of rows: ${[...counts].join(', ')}`);
  return {
    measured: true,
    how:
      `${records} records, each side a fresh process on an empty table, from its start to its last acknowledged write; ours sealed, with MAC, audit and tracing, on one process; ` +
      'Spark 3.5.7 with connector 3.5.1 in local mode on all cores, unsealed, derived columns by the same expressions; mTLS and SASL in both',
    figures: [
      { name: 'whole run, Spark ÷ ours', value: median(peer) / median(ours), unit: '×', target: { atLeast: 2 } },
    ],
    absolutes: [
      { name: 'ours, sealed', value: median(ours), unit: 's' },
      { name: 'Spark, unsealed', value: median(peer), unit: 's' },
    ],
  };
};
