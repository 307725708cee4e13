import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConnection, loadSettings } from '../../core/configuration.ts';
import { EXIT, WardlineError } from '../../core/errors/errors.ts';
import { openHome } from '../../core/home.ts';
import { loadContract } from '../../governance/contract/index.ts';
import { findContract, SHIPPED_CONTRACTS } from '../../governance/contract/find.ts';
import { readTopic } from '../../pipeline/consume/read-topic.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { ownGroup } from '../../security/principals/names.ts';
import { contextOf } from '../context.ts';
import { tryToGetIn } from './intruder.ts';
import { table, type Output } from '../terminal/output.ts';

const CONTRACT = 'smart-home';
const SUBJECT = 'home-0001';
const ERASED = 'home-0002';
const RECORDS = 20_000;
/** The sealed cell that is followed: its name in the source, and in the table. */
const CELL = { field: 'Home office [kW]', column: 'home_office_kw' } as const;

/** The servers live for a minute: what the JVM's second compiler costs at the start, it has no time to give back. */
const SHORT_LIVED = { JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1' } as const;

/** Adds the command `demo`: the whole story with real servers in a home of its own, which is gone afterwards. */
export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('the whole story on real servers, in a temporary home')
    .option('--keep', 'leave the servers running and keep the home')
    .addHelpText('after', '\nExample:\n  wardline demo')
    .action(async ({ keep }: { keep?: boolean }, command: Command) => {
      const { output } = contextOf(command);
      const folder = mkdtempSync(join(tmpdir(), 'wardline-demo-'));
      const home = join(folder, 'home');
      const wardline = runner(home, output);
      try {
        await tell(wardline, output, home, folder);
      } finally {
        if (keep === true) output.note(`The servers go on. Stop them with: wardline down --wipe --yes --home ${home}`);
        else {
          await wardline(['down', '--wipe', '--yes'], { show: false }).catch(() => undefined);
          rmSync(folder, { recursive: true, force: true });
        }
      }
    });
}

type Wardline = (
  args: readonly string[],
  options?: { readonly show?: boolean; readonly expect?: readonly number[] },
) => Promise<string>;

async function tell(wardline: Wardline, output: Output, home: string, folder: string): Promise<void> {
  const chapter = (title: string): void => output.note(`\n── ${title}`);

  chapter('1. Kafka and Cassandra start. Every connection needs a client certificate and a password.');
  await wardline(['up']);

  chapter('2. The contract decides what is sensitive. Twenty thousand readings of ten homes go through.');
  const first = JSON.parse(
    await wardline(['run', '--contract', CONTRACT, '--source', 'synthetic', '--limit', String(RECORDS), '--json']),
  ) as Summary;

  chapter('3. Three more readings: one is sound, one has a negative power, one has no time. Nothing is dropped.');
  const readings = join(folder, 'readings.jsonl');
  writeFileSync(readings, brokenReadings());
  const second = JSON.parse(
    await wardline(['run', '--contract', CONTRACT, '--source', 'jsonl', '--path', readings, '--json']),
  ) as Summary;
  await wardline(['dead-letters', 'list', '--contract', CONTRACT]);

  chapter('4. What the servers hold of one sealed cell: the same ciphertext on the topic and in the table.');
  const cell = await sealedCell(home);
  output.item(cell, () =>
    table(
      [
        ['where', `${CELL.column} of ${SUBJECT}`],
        ['Kafka', cell.kafka],
        ['Cassandra', cell.cassandra],
      ],
      76,
    ),
  );

  chapter('5. Who may see it. The reader, for a purpose that the contract allows:');
  const columns = [
    '--columns',
    `home_id,ts,use_kw,${CELL.column},microwave_kw,occupied_kw,temperature`,
    '--limit',
    '3',
  ];
  const read = ['read', SUBJECT, '--contract', CONTRACT, '--purpose', 'forecasting', ...columns];
  await wardline([...read, '--as', 'reader']);
  output.note('The operator, who administers everything:');
  await wardline([...read, '--as', 'operator']);
  output.note('The auditor, who may not read this table at all:');
  await wardline([...read, '--as', 'auditor'], { expect: [EXIT.refused] });

  chapter('6. Somebody else tries to get in, on purpose here, so that it can be found below.');
  const opened = openHome(home);
  const attempts = await tryToGetIn(loadConnection(opened, loadSettings(opened)), folder);
  output.note(indented(table([['tried', 'answer'], ...attempts.map(({ tried, answer }) => [tried, answer])])));

  chapter(`7. ${ERASED} asks to be forgotten. Its keys are destroyed; its sealed values are noise from now on.`);
  await wardline(['keys', 'destroy', ERASED, '--contract', CONTRACT, '--yes']);
  await wardline(['read', ERASED, '--contract', CONTRACT, '--purpose', 'forecasting', ...columns, '--as', 'reader'], {
    expect: [EXIT.verification],
  });

  chapter('8. One trace leads from the file to the rows.');
  await wardline(['trace', second.trace_id]);

  chapter('9. All of it is on the audit log. What happened in the last ten minutes (its newest part):');
  await wardline(['audit', 'query', '--since', '10m', '--limit', '16']);
  output.note('Who was refused:');
  await wardline(['audit', 'query', '--outcome', 'denied', '--since', '10m']);
  output.note('What touched one record:');
  await wardline(['audit', 'record', cell.key.join(','), '--contract', CONTRACT]);
  output.note('And that nothing was changed since:');
  await wardline(['audit', 'verify']);

  chapter('What it came to');
  const total = (name: keyof Summary): string => String(Number(first[name]) + Number(second[name]));
  output.result({ runs: [first, second] } as never, () =>
    table([
      ['records in', 'stored', 'dead letters', 'sealed fields', 'records/s'],
      [
        total('records_read'),
        total('records_stored'),
        total('dead_letters'),
        total('sealed_fields'),
        String(first.rate),
      ],
    ]),
  );
}

interface Summary {
  readonly records_read: number;
  readonly records_stored: number;
  readonly dead_letters: number;
  readonly sealed_fields: number;
  readonly rate: number;
  readonly trace_id: string;
}

/** Runs commands just as a user would, on the demo's home, and shows both the command and what it prints. */
function runner(home: string, output: Output): Wardline {
  return (args, { show = true, expect = [EXIT.done] } = {}) =>
    new Promise((resolve, reject) => {
      if (show) output.note(`$ wardline ${args.map((arg) => (/[\s[\]]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`);
      const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args, '--home', home], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...SHORT_LIVED, ...process.env },
      });
      let result = '';
      let remarks = '';
      child.stdout.on('data', (chunk: Buffer) => (result += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (remarks += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => {
        if (show) for (const text of [remarks, result]) if (text.trim() !== '') output.note(indented(text.trimEnd()));
        if (show && remarks.includes('alarm: latency'))
          output.note(
            '  (An alarm tells and stops nothing. All records come at once here: on a slow machine the last ones wait.)',
          );
        if (code !== null && expect.includes(code)) resolve(result);
        else reject(new WardlineError('INTERNAL', `wardline ${args[0] ?? ''} ended with exit code ${code ?? 'none'}`));
      });
    });
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** One cell as Kafka and Cassandra hold it, read as principals that hold no key to it. */
async function sealedCell(path: string): Promise<{ key: string[]; kafka: string; cassandra: string }> {
  const home = openHome(path);
  const connection = loadConnection(home, loadSettings(home));
  const { topic, table: plan } = loadContract(findContract(CONTRACT, [SHIPPED_CONTRACTS]));
  for await (const { message } of readTopic(kafkaClient(connection, 'archiver'), topic.name, ownGroup('archiver'))) {
    const fields = JSON.parse(message.value?.toString() ?? '{}') as Record<string, unknown>;
    if (fields['home_id'] !== SUBJECT) continue;
    const client = cassandraClient(connection, 'worker');
    try {
      const [day = ''] = (JSON.parse(message.key?.toString() ?? '[]') as string[]).slice(1);
      const time = new Date(Number(fields['time']) * 1000);
      const { rows } = await client.execute(
        `SELECT ${CELL.column} FROM ${plan.keyspace}.${plan.name} WHERE home_id = ? AND day = ? AND ts = ?`,
        [SUBJECT, day, time],
        { prepare: true },
      );
      return {
        key: [SUBJECT, day, time.toISOString()],
        kafka: String(fields[CELL.field]),
        cassandra: String(rows[0]?.get(CELL.column)),
      };
    } finally {
      await client.shutdown();
    }
  }
  throw new WardlineError('NOT_FOUND', `no record of ${SUBJECT} is on topic ${topic.name}`);
}

/** Three readings as JSON lines; two of them do not fit the contract. */
function brokenReadings(): string {
  const contract = loadContract(findContract(CONTRACT, [SHIPPED_CONTRACTS]));
  const text = new Set(['icon', 'summary', 'home_id', 'time']);
  const base = {
    ...Object.fromEntries(contract.sourceFields.map((field) => [field, text.has(field) ? 'clear-day' : 0.5])),
    pressure: 1016,
  };
  const readings = [
    { ...base, home_id: 'home-0099', time: 1451624400 },
    { ...base, home_id: 'home-0099', time: 1451624460, 'use [kW]': -1 },
    { ...base, home_id: 'home-0099', time: null },
  ];
  return readings.map((reading) => `${JSON.stringify(reading)}\n`).join('');
}
