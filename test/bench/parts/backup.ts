import { cassandraClient } from '../../../security/connect/cassandra.ts';
import type { Absolute } from '../figure.ts';
import type { WorkerAnswer } from '../processes/worker.ts';
import { startChild } from '../rig/child.ts';
import { startCommand } from '../rig/command.ts';
import type { BenchContract } from '../rig/contracts.ts';
import type { Rig } from '../rig/rig.ts';
import { emptyTopic, fillTopic, rewind } from '../rig/topic.ts';
import type { Part } from './part.ts';

/** cassandra-medusa 0.31 on a node with 300,000 rows (320 files, 46.7 MB), to a folder, neither encrypted nor signed. */
const MEDUSA_FIRST_SECONDS = 3.6;
const MEDUSA_SECOND_SECONDS = 2.8;
/** What of the rows is new before the second backup. */
const NEW_SHARE = 0.01;
const MEMORY_LIMIT_MEGABYTES = 300;

/** Two backups of records in clear, beside Medusa's; two of the same sealed; then the sealed table back from them. */
export const backup: Part = async (rig) => {
  const { contract } = rig.sealed;
  const table = `${contract.table.keyspace}.${contract.table.name}`;
  const clear = await twoBackups(rig, rig.clear);
  await rewind(rig, rig.clear);
  await emptyTopic(rig, rig.clear);
  const sealed = await twoBackups(rig, rig.sealed);
  const verified = await command(rig, ['backup', 'verify', 'latest', '--read-data']);

  rig.report('restoring the table');
  await asSuperUser(rig, `DROP TABLE ${table}`);
  const restored = await command(rig, ['restore', 'latest', '--table', table]);

  rig.report('storing beside backups');
  await rewind(rig, rig.sealed);
  const beside = await storeBesideBackups(rig);
  await emptyTopic(rig, rig.sealed);
  const commands = [...[clear, sealed].flatMap(({ first, second }) => [first, second]), verified, restored];
  const memory = commands.map(({ peakMegabytes }) => peakMegabytes);
  return {
    measured: true,
    how:
      `wall clock of the commands, start of the process included; ${rig.options.records} rows, then ${NEW_SHARE * 100} % more; a folder on the same disk; every file encrypted and hashed, the manifest signed; ` +
      'cassandra-medusa’s times are those measured earlier on a machine of this kind, for as many rows in clear, neither encrypted nor signed; the restore is of a dropped table of sealed rows, with its digest and the audit log verified',
    figures: [
      {
        name: 'first backup ÷ cassandra-medusa (3.6 s)',
        value: clear.first.seconds / MEDUSA_FIRST_SECONDS,
        unit: '×',
        target: { atMost: 1 },
      },
      {
        name: 'second backup ÷ cassandra-medusa (2.8 s)',
        value: clear.second.seconds / MEDUSA_SECOND_SECONDS,
        unit: '×',
        target: { atMost: 1 },
      },
      {
        name: 'bytes of the second ÷ the first',
        value: clear.second.result.sent / clear.first.result.sent,
        unit: '×',
        target: { atMost: 0.05 },
      },
      { name: 'table restored in place', value: restored.seconds, unit: 's', target: { atMost: 10 } },
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
      { name: 'verified, every byte', value: verified.seconds, unit: 's' },
      { name: 'worker alone', value: sealed.storedPerSecond, unit: 'records/s' },
      { name: 'worker while backups run', value: beside, unit: 'records/s' },
    ],
  };
};

interface TwoBackups {
  readonly first: Ran<{ readonly sent: number }>;
  readonly second: Ran<{ readonly sent: number }>;
  /** Of a worker that had the servers to itself. */
  readonly storedPerSecond: number;
}

async function twoBackups(rig: Rig, target: BenchContract): Promise<TwoBackups> {
  const { records } = rig.options;
  await emptyTopic(rig, target);
  await fillTopic(rig, target, records);
  await rewind(rig, target);
  const storedPerSecond = await store(rig, target);
  // A contract that is in force in the home is one that a backup holds, and that a restore gives its rights back for.
  await command(rig, ['contract', 'apply', target.path]);
  rig.report('first backup');
  const first = await command<{ sent: number }>(rig, ['backup', 'create']);
  await fillTopic(rig, target, Math.round(records * (1 + NEW_SHARE)));
  await store(rig, target);
  rig.report('second backup');
  const second = await command<{ sent: number }>(rig, ['backup', 'create']);
  return { first, second, storedPerSecond };
}

function absolutesOf(rows: string, { first, second }: TwoBackups): Absolute[] {
  return [
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
