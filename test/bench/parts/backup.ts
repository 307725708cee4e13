import { join } from 'node:path';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import type { Absolute, Figure } from '../figure.ts';
import { isInstalled } from '../peers/install.ts';
import { setUpMedusa, type Medusa } from '../peers/medusa/medusa.ts';
import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import { startCommand } from '../rig/command.ts';
import type { BenchContract } from '../rig/contracts.ts';
import type { Rig } from '../rig/rig.ts';
import { emptyTopic, fillTopic, rewind } from '../rig/topic.ts';
import type { Part } from './part.ts';

/** What of the rows is new before the second backup. */
const NEW_SHARE = 0.01;
const MEMORY_LIMIT_MEGABYTES = 300;

/** Two backups of records in clear, each with Medusa's after it; two of the same sealed; then the sealed table back from them. */
export const backup: Part = async (rig) => {
  const { contract } = rig.sealed;
  const table = `${contract.table.keyspace}.${contract.table.name}`;
  const { home, connection } = await rig.servers();
  const medusa = isInstalled('medusa') ? await setUpMedusa(home, connection, join(rig.folder, 'medusa')) : undefined;
  // Python has compiled Medusa when it was installed: what Node keeps of our commands is to be there as well.
  await command(rig, ['backup', 'list']);
  const clear = await twoBackups(rig, rig.clear, medusa);
  await rewind(rig, rig.clear);
  await emptyTopic(rig, rig.clear);
  const sealed = await twoBackups(rig, rig.sealed);
  const verified = await command(rig, ['backup', 'verify', 'latest', '--read-data']);

  rig.report('restoring the table');
  await asSuperUser(rig, `DROP TABLE ${table}`);
  const restored = await command<{ servingSeconds: number }>(rig, ['restore', 'latest', '--table', table]);

  rig.report('storing beside backups');
  await rewind(rig, rig.sealed);
  const beside = await storeBesideBackups(rig);
  await emptyTopic(rig, rig.sealed);
  const commands = [...[clear, sealed].flatMap(({ first, second }) => [first, second]), verified, restored];
  const memory = commands.map(({ peakMegabytes }) => peakMegabytes);
  return {
    measured: true,
    how:
      `wall clock of the commands, start of the process included, what Node or Python keeps compiled being there; ${rig.options.records} rows, then ${NEW_SHARE * 100} % more; a folder on the same disk; every file encrypted and hashed, the manifest signed; ` +
      `cassandra-medusa 0.31 ${medusa === undefined ? 'is not installed (add --install-peers)' : 'makes its differential backup of the same servers into a folder right after each of ours, which has flushed the tables by then; it encrypts and signs nothing'}; ` +
      'the restore is of a dropped table of sealed rows: until it serves all of them, and until they were read back for their digest and the audit log was verified',
    figures: [
      ...['first', 'second'].flatMap((which, index) => againstMedusa(which, clear, index)),
      {
        name: 'bytes of the second ÷ the first',
        value: clear.second.result.sent / clear.first.result.sent,
        unit: '×',
        target: { atMost: 0.05 },
      },
      {
        name: 'table restored in place, to serving reads',
        value: restored.result.servingSeconds,
        unit: 's',
        target: { atMost: 10 },
      },
      {
        name: 'memory of backup, verify and restore',
        value: Math.max(...memory),
        unit: 'MB',
        target: { atMost: MEMORY_LIMIT_MEGABYTES },
      },
      {
        name: 'worker while backups run ÷ without',
        value: beside / sealed.storedPerSecond,
        unit: '×',
        target: { atLeast: 0.7 },
      },
    ],
    absolutes: [
      ...absolutesOf('in clear', clear),
      ...absolutesOf('sealed', sealed),
      { name: 'table restored and read back', value: restored.seconds, unit: 's' },
      { name: 'verified, every byte', value: verified.seconds, unit: 's' },
      { name: 'worker alone', value: sealed.storedPerSecond, unit: 'records/s' },
      { name: 'worker while backups run', value: beside, unit: 'records/s' },
    ],
  };
};

function againstMedusa(which: string, { first, second, medusa }: TwoBackups, index: number): Figure[] {
  const peer = medusa[index];
  if (peer === undefined) return [];
  const ours = index === 0 ? first : second;
  return [
    { name: `${which} backup ÷ cassandra-medusa’s`, value: ours.seconds / peer, unit: '×', target: { atMost: 1 } },
  ];
}

interface TwoBackups {
  readonly first: Ran<{ readonly sent: number }>;
  readonly second: Ran<{ readonly sent: number }>;
  /** Seconds that its two backups took; none where it is not measured. */
  readonly medusa: readonly number[];
  /** Of a worker that had the servers to itself. */
  readonly storedPerSecond: number;
}

async function twoBackups(rig: Rig, target: BenchContract, peer?: Medusa): Promise<TwoBackups> {
  const medusa: number[] = [];
  const { records } = rig.options;
  await emptyTopic(rig, target);
  await fillTopic(rig, target, records);
  await rewind(rig, target);
  const storedPerSecond = await store(rig, target);
  // A contract that is in force in the home is one that a backup holds, and that a restore gives its rights back for.
  await command(rig, ['contract', 'apply', target.path]);
  rig.report('first backup');
  const first = await command<{ sent: number }>(rig, ['backup', 'create']);
  if (peer !== undefined) medusa.push(await peer.backup('first'));
  await fillTopic(rig, target, Math.round(records * (1 + NEW_SHARE)));
  await store(rig, target);
  rig.report('second backup');
  const second = await command<{ sent: number }>(rig, ['backup', 'create']);
  if (peer !== undefined) medusa.push(await peer.backup('second'));
  return { first, second, medusa, storedPerSecond };
}

function absolutesOf(rows: string, { first, second, medusa }: TwoBackups): Absolute[] {
  return [
    ...medusa.map((seconds, index) => ({
      name: `rows ${rows}, cassandra-medusa’s ${index === 0 ? 'first' : 'second'}`,
      value: seconds,
      unit: 's',
    })),
    { name: `rows ${rows}, first backup`, value: first.seconds, unit: 's' },
    { name: `rows ${rows}, second backup`, value: second.seconds, unit: 's' },
    { name: `rows ${rows}, sent by the first`, value: first.result.sent / 1e6, unit: 'MB' },
    { name: `rows ${rows}, sent by the second`, value: second.result.sent / 1e6, unit: 'MB' },
  ];
}

interface Ran<Result> {
  readonly result: Result;
  readonly seconds: number;
  readonly peakMegabytes: number;
}

async function command<Result>(rig: Rig, args: readonly string[]): Promise<Ran<Result>> {
  const { home } = await rig.servers();
  const { stdout, seconds, peakMegabytes } = await startCommand(home.path, args).finished;
  return { result: JSON.parse(stdout) as Result, seconds, peakMegabytes };
}

/** Works off what the topic holds. Returns records a second. */
async function store(rig: Rig, target: BenchContract): Promise<number> {
  const { home } = await rig.servers();
  const work = { home: home.path, contract: target.path, endless: false };
  const { result } = await startChild<WorkerAnswer>('worker', work).finished;
  return result.records / result.seconds;
}

async function storeBesideBackups(rig: Rig): Promise<number> {
  const stored = new AbortController();
  const backups = (async () => {
    while (!stored.signal.aborted) await command(rig, ['backup', 'create']);
  })();
  const rate = await store(rig, rig.sealed).finally(() => stored.abort());
  await backups;
  return rate;
}

async function asSuperUser(rig: Rig, cql: string): Promise<void> {
  const { connection } = await rig.servers();
  const cassandra = cassandraClient(connection, 'break-glass', { readTimeout: 60_000 });
  try {
    await cassandra.execute(cql);
  } finally {
    await cassandra.shutdown();
  }
}
