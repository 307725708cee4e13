import { Option, type Command } from 'commander';
import type { JsonValue } from '../../core/record.ts';
import type { RunSummary } from '../../pipeline/run-to-end.ts';
import { drawTrace, traceJson } from '../../telemetry/trace-view/draw.ts';
import { readTrace } from '../../telemetry/trace-view/read.ts';
import { eventDocumentOf, eventTable } from '../audit/event-view.ts';
import { eventsOfTrace } from '../audit/trace-events.ts';
import { contextOf } from '../context.ts';
import { registerDeadLetters } from './dead-letters.ts';
import { collectAssignment, wholeNumber } from '../terminal/options.ts';
import { table } from '../terminal/output.ts';
import { runCommand, sourceCommand, workerCommand, type SourceFlags } from './processes.ts';
import { registerRead } from './read.ts';
import { listTopics } from './topics.ts';

/** Commands that move records, and show them. */
export function registerFlow(program: Command): void {
  withSourceOptions(
    program.command('run').description('source and worker in one, until the source has ended and everything is stored'),
  )
    .option('--max-dead-letters <n>', 'fail when more records than this cannot pass', wholeNumber)
    .addHelpText(
      'after',
      '\nExample:\n  wardline run --contract smart-home --source csv --path readings.csv --set home_id=home-0001',
    )
    .action(async (flags: SourceFlags & { maxDeadLetters?: number }, command: Command) => {
      const context = contextOf(command);
      const summary = await runCommand(context, flags);
      context.output.result(summaryDocument(summary), () => summaryText(summary));
    });

  withSourceOptions(program.command('source').description('read a source, check, seal and produce its records'))
    .addHelpText('after', '\nExample:\n  wardline source --contract smart-home --source synthetic --rate 1000/s')
    .action(async (flags: SourceFlags, command: Command) => {
      const context = contextOf(command);
      const { recordsRead, deadLetters, sealedFields, ended } = await sourceCommand(context, flags);
      context.output.result(
        { records_read: recordsRead, dead_letters: deadLetters, sealed_fields: sealedFields, ended },
        () =>
          `${recordsRead} records read, ${deadLetters} dead letters, ${sealedFields} fields sealed${ended ? '' : '; stopped before the end'}.`,
      );
    });

  program
    .command('worker')
    .description(
      "consume, transform and store a contract's records until stopped; any number of workers share the work",
    )
    .requiredOption('--contract <contract>', 'a file, or the id of a known contract')
    .addHelpText('after', '\nExample:\n  wardline worker --contract smart-home')
    .action(async ({ contract }: { contract: string }, command: Command) => {
      const context = contextOf(command);
      const stored = await workerCommand(context, contract);
      context.output.result({ rows_stored: stored }, () => `${stored} rows stored.`);
    });

  program
    .command('topics')
    .description('list topics with their settings')
    .addHelpText('after', '\nExample:\n  wardline topics')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      const topics = await listTopics(context.connection(), context.principal('operator'));
      context.output.result(topics as unknown as JsonValue, () =>
        table([
          ['topic', 'partitions', 'records', 'retention', 'timestamps', 'largest batch'],
          ...topics.map((topic) => [
            topic.name,
            String(topic.partitions),
            String(topic.records),
            topic.retention,
            topic.timestamps,
            topic.largestBatch,
          ]),
        ]),
      );
    });

  program
    .command('trace')
    .description('draw the tree of a trace')
    .argument('<id>', 'a trace id, or latest')
    .option('--audit', 'also show the audit events of the trace')
    .addHelpText('after', '\nExample:\n  wardline trace latest --audit')
    .action(async (id: string, { audit }: { audit?: boolean }, command: Command) => {
      const context = contextOf(command);
      const { traceId, roots } = readTrace(context.home().paths.telemetry, id);
      const events = audit === true ? await eventsOfTrace(context, traceId) : [];
      context.output.result(
        audit === true
          ? { trace: traceJson(traceId, roots), events: events.map(eventDocumentOf) }
          : traceJson(traceId, roots),
        () => [drawTrace(traceId, roots), ...(audit === true ? ['', eventTable(events)] : [])].join('\n'),
      );
    });

  registerRead(program);
  registerDeadLetters(program);
}

/** The options that say what is read, and how fast. */
function withSourceOptions(command: Command): Command {
  return command
    .requiredOption('--contract <contract>', 'a file, or the id of a known contract')
    .addOption(
      new Option('--source <kind>', "where records come from; the contract's own source unless told otherwise").choices(
        ['csv', 'jsonl', 'synthetic'],
      ),
    )
    .option('--path <file>', 'the file to read')
    .option(
      '--set <field=value>',
      'give every record a field that the input lacks; may be repeated',
      collectAssignment,
      {},
    )
    .option('--limit <n>', 'stop after this many records', wholeNumber)
    .option('--rate <rate>', 'records in a time, such as 1000/s or 1/5s')
    .option('--speed <factor>', "replay by the records' own time, such as 60x")
    .option('--time-step <step>', 'give record n the time of the first plus n steps, such as 60s')
    .option('--loop', 'begin again at the end, until stopped')
    .option('--seed <n>', 'seed of the synthetic source', wholeNumber, 1)
    .option('--homes <n>', 'homes of the synthetic source', wholeNumber, 10);
}

function summaryDocument(summary: RunSummary): JsonValue {
  return {
    records_read: summary.recordsRead,
    records_stored: summary.recordsStored,
    duplicates: summary.duplicates,
    dead_letters: summary.deadLetters,
    sealed_fields: summary.sealedFields,
    seconds: summary.seconds,
    rate: rateOf(summary),
    trace_id: summary.traceId ?? null,
  };
}

function summaryText(summary: RunSummary): string {
  return [
    table([
      ['records read', 'stored', 'duplicates', 'dead letters', 'sealed fields', 'records/s'],
      [
        summary.recordsRead,
        summary.recordsStored,
        summary.duplicates,
        summary.deadLetters,
        summary.sealedFields,
        rateOf(summary),
      ].map(String),
    ]),
    ...(summary.traceId === undefined ? [] : [`trace: wardline trace ${summary.traceId}`]),
  ].join('\n');
}

function rateOf({ recordsRead, seconds }: RunSummary): number {
  return seconds > 0 ? Math.round(recordsRead / seconds) : 0;
}
