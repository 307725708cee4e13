import type { Command } from 'commander';
import { checkTlogProof } from '../../audit/checkpoint/tlog-proof.ts';
import { proveEvent } from '../../audit/prove/prove.ts';
import { windowProver, type WindowProof } from '../../audit/record/prove-window.ts';
import { windowsOf, type RecordPlace, type StatedWindow } from '../../audit/record/windows.ts';
import { originOf, readEpochs } from '../../audit/store/epochs.ts';
import { topicBounds } from '../../audit/topic/read-topic.ts';
import { asWardlineError, EXIT, WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { loadContract } from '../../governance/contract/index.ts';
import { placeOfRow } from '../../pipeline/read/place-of-row.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { contractPathOf } from '../contract.ts';
import { table } from '../terminal/output.ts';
import { timeText } from './event-view.ts';
import { onAuditRecord, placeText, withAuditSources, type AuditSources } from './sources.ts';

/** Who reads the row and who the messages; the command's own principal reads the log. */
const READS_ROWS = 'reader';
const READS_TOPICS = 'archiver';

interface ProvedWindow {
  readonly window: StatedWindow;
  readonly proof: WindowProof;
  /** Size of the checkpoint under which the window's event stands, or why it is under none. */
  readonly checkpoint: number | string;
}

/** Adds `audit record`. */
export function registerRecord(audit: Command): void {
  audit
    .command('record')
    .description('show every stage window that touched a record, each proved from the record to a checkpoint')
    .argument('<key>', 'its partition and clustering values, separated by commas, or PARTITION/OFFSET on the topic')
    .requiredOption('--contract <contract>', 'a file, or the id of a known contract')
    .addHelpText(
      'after',
      '\nExample:\n  wardline audit record home-0001,2016-01-01,2016-01-01T05:00:00.000Z --contract smart-home',
    )
    .action(async (key: string, options: { contract: string }, command: Command) => {
      const context = contextOf(command);
      const contract = loadContract(contractPathOf(context, options.contract));
      await withAuditSources(context, async (sources) => {
        await onAuditRecord(
          context,
          sources.principal,
          'audit.record',
          { type: 'record', id: key },
          { contract: contract.id },
        );
        const place = await placeNamed(context, contract, key);
        const windows = await provedWindows(context, sources, place);
        print(context, place, windows);
        if (windows.some(({ proof, checkpoint }) => !proof.holds || typeof checkpoint === 'string'))
          process.exitCode = EXIT.verification;
      });
    });
}

async function placeNamed(context: CommandContext, contract: CompiledContract, key: string): Promise<RecordPlace> {
  const topic = contract.topic.name;
  const [, partition, offset] = /^(\d{1,6})\/(\d{1,15})$/.exec(key) ?? [];
  if (partition !== undefined && offset !== undefined)
    return { topic, partition: Number(partition), offset: BigInt(offset) };
  const client = cassandraClient(context.connection(), READS_ROWS);
  try {
    const place = await placeOfRow(client, contract, key.split(','));
    if (place !== undefined) return { topic, ...place };
    throw new WardlineError('NOT_FOUND', `the table has no row of the key ${key}`, {
      hint: 'give its partition and clustering values in the order of the table, as wardline read prints them',
    });
  } finally {
    await client.shutdown();
  }
}

async function provedWindows(
  context: CommandContext,
  sources: AuditSources,
  place: RecordPlace,
): Promise<readonly ProvedWindow[]> {
  const { install, cassandra } = sources;
  const topic = { kafka: kafkaClient(context.connection(), READS_TOPICS), principal: READS_TOPICS } as const;
  if ((await topicBounds(topic, place.topic, place.partition)) === undefined)
    throw new WardlineError('NOT_FOUND', `there is no partition ${place.partition} of the topic ${place.topic}`);
  const prove = windowProver(topic);
  const proved: ProvedWindow[] = [];
  for (const { epoch } of await readEpochs(cassandra, install)) {
    for await (const window of windowsOf(cassandra, epoch, place)) {
      const proof = await prove(window, place);
      proved.push({ window, proof, checkpoint: await checkpointOf(sources, window) });
    }
  }
  return proved;
}

/** Makes the proof that others would be given, and checks it as they would. */
async function checkpointOf(sources: AuditSources, { event }: StatedWindow): Promise<number | string> {
  try {
    const proof = await proveEvent(sources, event.epoch, event.sequence);
    const verifier = sources.verifier(originOf(sources.install, event.epoch));
    return checkTlogProof(Buffer.from(proof), [verifier]).checkpoint.size;
  } catch (error) {
    return asWardlineError(error).message;
  }
}

function print({ output }: CommandContext, place: RecordPlace, windows: readonly ProvedWindow[]): void {
  const digest = windows.find(({ proof }) => proof.digest !== undefined)?.proof.digest ?? null;
  const document = {
    topic: place.topic,
    partition: place.partition,
    offset: String(place.offset),
    incarnation: place.incarnation ?? null,
    digest,
    windows: windows.map(({ window, proof, checkpoint }) => ({
      place: placeText(window.event),
      stage: window.stage,
      actor: window.event.columns.actor,
      time: window.event.columns.time === null ? null : new Date(window.event.columns.time).toISOString(),
      records: window.size,
      index: proof.index,
      root: window.root.toString('hex'),
      holds: proof.holds,
      checkpoint,
    })),
  };
  output.result(document, () =>
    windows.length === 0
      ? `No window covers offset ${place.offset} of partition ${place.partition} of ${place.topic}.`
      : [
          `record at offset ${place.offset} of partition ${place.partition} of ${place.topic}, digest ${digest ?? 'gone'}`,
          table([
            ['stage', 'time (UTC)', 'actor', 'record in window', 'window root', 'event', 'under checkpoint of'],
            ...document.windows.map(({ stage, time, actor, index, records, holds, place: at, checkpoint }) => [
              stage,
              time === null ? '' : timeText(Date.parse(time)),
              actor ?? '?',
              `${index + 1} of ${records}`,
              holds ? 'proved' : 'NOT PROVED',
              at,
              typeof checkpoint === 'number' ? `${checkpoint} events` : checkpoint,
            ]),
          ]),
        ].join('\n'),
  );
}
