import type { Command } from 'commander';
import { EXIT } from '../../core/errors/errors.ts';
import { contextOf } from '../context.ts';
import { timeText } from '../terminal/options.ts';
import { restoreInPlace, type RestoreFlags } from './in-place.ts';
import { restoreIntoHome } from './into-home.ts';
import { followRestore } from './part.ts';
import { reportDocument, reportText, timesOf } from './report.ts';

/** Adds `restore`. */
export function registerRestore(program: Command): void {
  program
    .command('restore')
    .description('restore a backup and replay the log archive, while Cassandra serves')
    .argument('[backup]', 'an id, or latest', 'latest')
    .option('--table <keyspace.table>', 'this table only')
    .option('--subject <subject>', 'the rows of this data subject only, into tables that stand')
    .option('--to <time>', 'replay what Kafka had appended by then: RFC 3339, or 10m, 1h, 2d ago', timeText)
    .option('--replace', 'empty each table first, after a safety backup: what is newer than the backup is gone then')
    .option('--as-keyspace <name>', 'restore beside what stands, into a new keyspace')
    .option('--into-home <folder>', 'restore everything into a new home with servers of its own, which it starts')
    .option(
      '--lost <servers>',
      'kafka, cassandra, or both with a comma between: servers that Wardline did not start, made anew in place of ones whose data is gone',
    )
    .option('--part', "on another node's host: take in what a restore elsewhere asks this node to, until stopped")
    .option('--identity <file>', 'the recovery identity, where it is not in the home')
    .option('--dry-run', 'only show what would be done')
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  wardline restore latest --table iot_data.weather_condition_and_household_energy_consumption',
        '  wardline restore latest --into-home /srv/wardline-copy',
        '  wardline restore latest --lost kafka,cassandra',
        '  wardline restore --part --identity recovery.txt',
        '  wardline restore latest --to 2026-11-28T09:30:00Z --replace --identity recovery.txt',
      ].join('\n'),
    )
    .action(async (backup: string, flags: RestoreFlags & { readonly part?: boolean }, command: Command) => {
      const context = contextOf(command);
      if (flags.part === true) {
        const tables = await followRestore(context, flags.identity);
        context.output.result({ tables }, () => `${tables} tables taken in.`);
        return;
      }
      const started = performance.now();
      const into = flags.intoHome;
      const report =
        into === undefined
          ? await restoreInPlace(context, backup, flags)
          : await restoreIntoHome(context, backup, flags, into);
      const times = timesOf(report, started);
      context.output.result(reportDocument(report, times), () => reportText(report, times));
      if (report.audit !== undefined && report.audit.findings.length > 0) process.exitCode = EXIT.verification;
    });
}
