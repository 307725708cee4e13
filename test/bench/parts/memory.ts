import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import { emptyTopic, fillTopic, rewind } from '../rig/topic.ts';
import type { Part } from './part.ts';

/** How much larger the second backlog is: memory must not grow with it. */
const LARGER = 10 / 3;
const LIMIT_MEGABYTES = 350;

/** The most memory that a worker has resident while it works off a small and a large backlog. */
export const memory: Part = async (rig) => {
  const { home } = await rig.servers();
  const backlogs = [rig.options.records, Math.round(rig.options.records * LARGER)];
  const peaks: { readonly backlog: number; readonly megabytes: number; readonly stored: number }[] = [];
  for (const backlog of backlogs) {
    await fillTopic(rig, rig.sealed, backlog);
    await rewind(rig, rig.sealed);
    rig.report(`working off a backlog of ${backlog}`);
    const work = { home: home.path, contract: rig.sealed.path, endless: false };
    const { result } = await startChild<WorkerAnswer>('worker', work).finished;
    peaks.push({ backlog, megabytes: result.peakMegabytes, stored: result.records });
  }
  await emptyTopic(rig, rig.sealed);
  return {
    measured: true,
    how: "the worker process's largest resident set (getrusage) over its whole life, everything on",
    figures: peaks.map(({ backlog, megabytes }) => ({
      name: `worker memory, ${backlog.toLocaleString('en-US')} records of backlog`,
      value: megabytes,
      unit: 'MB',
      target: { atMost: LIMIT_MEGABYTES },
    })),
    absolutes: peaks.map(({ backlog, stored }) => ({
      name: `stored of ${backlog.toLocaleString('en-US')}`,
      value: stored,
      unit: 'records',
    })),
  };
};
