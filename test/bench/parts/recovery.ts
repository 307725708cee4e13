import { join } from 'node:path';
import { sleep } from '../../../core/clock.ts';
import { loseData } from '../../support/faults/lose-data.ts';
import type { SourceAnswer, SourceWork } from '../processes/source.ts';
import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import { startCommand } from '../rig/command.ts';
import type { Rig } from '../rig/rig.ts';
import { countRows, fillTopic, rewind } from '../rig/topic.ts';
import { up } from '../rig/up.ts';
import type { Part } from './part.ts';

/** Of the rows of the other parts, so many times are restored whole. */
const LARGER = 10 / 3;
const PER_SECOND = 1000;
const SECONDS_UNDER_LOAD = 20;

interface Restored {
  readonly servingSeconds: number;
  readonly seconds: number;
  readonly servers: { readonly lost: { readonly seconds: number | null } } | null;
}

/** Everything into a fresh server, and both clusters lost under load. */
export const recovery: Part = async (rig) => {
  const rows = Math.round(rig.options.records * LARGER);
  // Their log archive holds nothing else: a contract of a part before, whose worker's group is gone, would be replayed whole.
  const { home } = await rig.freshServers();
  await fillTopic(rig, rig.sealed, rows);
  await rewind(rig, rig.sealed);
  await startChild<WorkerAnswer>('worker', { home: home.path, contract: rig.sealed.path, endless: false }).finished;
  await startCommand(home.path, ['contract', 'apply', rig.sealed.path]).finished;
  await startCommand(home.path, ['backup', 'create']).finished;

  rig.report(`restoring ${rows} rows into fresh servers`);
  const copy = join(rig.folder, 'copy');
  const { stdout: wholeSaid, ...whole } = await startCommand(home.path, ['restore', 'latest', '--into-home', copy])
    .finished;
  await startCommand(copy, ['down', '--wipe', '--yes']).finished;

  rig.report('losing both clusters under load');
  const acknowledged = await loseUnderLoad(rig, rows);
  await up(home.path);
  const { stdout, seconds, peakMegabytes } = await startCommand(home.path, ['restore', 'latest']).finished;
  const restored = JSON.parse(stdout) as Restored;
  const missing = acknowledged - (await countRows(rig, rig.sealed));
  return {
    measured: true,
    how:
      `wall clock of the commands; ${rows} rows with their topics, keys and audit log, into servers that the command starts: until all of it serves, and until it was read back and verified; ` +
      `then a source and a worker at ${PER_SECOND} records/s for ${SECONDS_UNDER_LOAD} s, both servers ended with SIGKILL and their data removed: what the restore says is lost, and the rows of acknowledged records that it did not bring back`,
    figures: [
      {
        name: 'whole restore into fresh servers, to serving reads',
        value: (JSON.parse(wholeSaid) as Restored).servingSeconds,
        unit: 's',
        target: { atMost: 60 },
      },
      { name: 'RPO, both clusters lost', value: missing / PER_SECOND, unit: 's of records', target: { atMost: 5 } },
      {
        name: 'memory of the restore',
        value: Math.max(whole.peakMegabytes, peakMegabytes),
        unit: 'MB',
        target: { atMost: 300 },
      },
    ],
    absolutes: [
      { name: 'whole restore, read back and verified', value: whole.seconds, unit: 's' },
      { name: 'both clusters lost: `restore latest`', value: seconds, unit: 's' },
      { name: 'lost, by its own account at most', value: restored.servers?.lost.seconds ?? NaN, unit: 's' },
      { name: 'records acknowledged and not restored', value: missing, unit: 'records' },
    ],
  };
};

/** Returns the records that were acknowledged in all when the servers were gone. */
async function loseUnderLoad(rig: Rig, before: number): Promise<number> {
  const { home } = await rig.servers();
  const records = PER_SECOND * SECONDS_UNDER_LOAD;
  const path = await rig.records(before + records);
  const worker = startChild<WorkerAnswer>('worker', { home: home.path, contract: rig.sealed.path, endless: true });
  await worker.started;
  const common = { home: home.path, contract: rig.sealed.path, path, perSecond: PER_SECOND };
  const work: SourceWork = { ...common, skip: before, records };
  const { result } = await startChild<SourceAnswer>('source', { ...work }).finished;
  loseData(home, 'kafka', 'cassandra');
  worker.stop();
  await Promise.race([worker.finished.catch(() => undefined), sleep(10_000)]);
  return before + result.records;
}
