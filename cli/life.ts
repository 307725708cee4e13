import { Argument, type Command } from 'commander';
import { ensureRecovery } from '../backup/recipients/recovery.ts';
import { systemClock } from '../core/clock.ts';
import type { Connection } from '../core/connection.ts';
import { asWardlineError, EXIT, WardlineError } from '../core/errors/errors.ts';
import type { JsonValue } from '../core/record.ts';
import { LOG_NAMES, setupStack, stackLogs, stackStatus, startStack, stopStack, type LogName } from '../stack/index.ts';
import { archiveLagOf, archiveRemarks } from './backup/archive-state.ts';
import { removeDeadDrills } from './backup/drill/one-at-a-time.ts';
import { identityRemarks, recordFirstIdentity } from './backup/identity/identity-state.ts';
import { escrowKeyStoresIfReachable } from './backup/identity/key-escrow.ts';
import { requireSchedule, scheduleDocument, scheduleText } from './backup/schedule.ts';
import { contextOf, type CommandContext } from './context.ts';
import { recordSettings } from './in-force.ts';
import { giveUpLoss, lossRemarks } from './lost.ts';
import { endDeadLetterKeys } from './access/dead-letter-keys.ts';
import { wholeNumber } from './terminal/options.ts';
import { table } from './terminal/output.ts';
import { recordOnSpool, startRecord } from './start-record.ts';

/**
 * A wipe removes the home's spool, and with embedded servers the audit log itself. So it is stated on the log first, for
 * whoever reads or copies that; where no log takes it, the wipe that was asked for goes on, and says so.
 */
async function recordWipe(context: CommandContext): Promise<void> {
  const home = context.home();
  try {
    if (context.settings().connection?.mode !== 'external' && !stackStatus(home).supervisor.running)
      throw new WardlineError('NOT_RUNNING', 'the servers do not run');
    const audit = context.audit('operator');
    try {
      await audit.append({ action: 'stack.wipe', object: { type: 'home', id: home.install }, outcome: 'success' });
    } finally {
      await audit.close();
    }
  } catch (error) {
    context.output.note(`the wipe is on no record: ${asWardlineError(error).message}`);
  }
}

/** A line of `status`. */
interface StatusRow {
  readonly name: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  readonly port?: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly since: string | undefined;
  readonly refusal?: string | undefined;
}

/** Commands that start, stop and show the embedded servers. */
export function registerLife(program: Command): void {
  program
    .command('setup')
    .description('download the servers; after this nothing needs a network')
    .addHelpText('after', '\nExample:\n  wardline setup')
    .action(async (_options, command: Command) => {
      const { output } = contextOf(command);
      const folders = await setupStack(process.env, (line) => output.note(line));
      output.result(
        { ready: true, jars: { ...folders } },
        () => 'The servers are downloaded: nothing needs a network from here on.',
      );
    });

  program
    .command('up')
    .description(
      'start Kafka and Cassandra for a home, making the home where there is none; returns when they are usable. With an external connection nothing is started',
    )
    .option('--accept-loss', 'go on without what the servers held, where their data was lost and is not to be restored')
    .addHelpText('after', '\nExample:\n  wardline up --home .wardline')
    .action(async ({ acceptLoss }: { acceptLoss?: boolean }, command: Command) => {
      const context = contextOf(command);
      const home = context.homeOrNew();
      const elsewhere = context.settings().connection;
      await requireSchedule(context);
      // Before the first key: none is made that cannot be escrowed.
      const firstIdentity = await ensureRecovery(home, systemClock);
      if (elsewhere?.mode === 'external') {
        const { kafka, cassandra } = elsewhere;
        if (acceptLoss === true) await giveUpLoss(context);
        context.output.result(
          { home: home.path, kafka: kafka.brokers, cassandra: cassandra.contactPoints, started: false },
          () => `${home.path} connects to servers that Wardline did not start: nothing to start here.`,
        );
        return;
      }
      const started = performance.now();
      const connection = await startStack(
        home,
        context.settings(),
        (line) => context.output.note(line),
        startRecord(context),
      );
      if (acceptLoss === true) await giveUpLoss(context);
      await recordSettings(context, (statement) => context.spool('operator').append(statement));
      await recordOnSpool(context, 'operator', 'stack.up');
      if (firstIdentity) await recordFirstIdentity(context);
      await endDeadLetterKeys(context, connection);
      await escrowKeyStoresIfReachable(context);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      context.output.result(
        {
          ...{ home: home.path, kafka: connection.kafka.brokers, cassandra: connection.cassandra.contactPoints },
          ...{ started: true, seconds },
        },
        () =>
          [
            `Kafka      ${connection.kafka.brokers.join(', ')}  (mTLS + SCRAM-SHA-512)`,
            `Cassandra  ${connection.cassandra.contactPoints.join(', ')}  (mTLS + password)`,
            `Ready after ${seconds} s. Home: ${home.path}`,
          ].join('\n'),
      );
    });

  program
    .command('down')
    .description('stop the servers gracefully')
    .option('--wipe', "also remove the home's data, certificates and keys")
    .addHelpText('after', '\nExample:\n  wardline down --home .wardline')
    .action(async ({ wipe }: { wipe?: boolean }, command: Command) => {
      const context = contextOf(command);
      const home = context.home();
      if (wipe === true) await context.confirm(`This removes all data, certificates and keys in ${home.path}.`);
      const statement = {
        action: 'stack.down',
        object: { type: 'home', id: home.install },
        outcome: 'success',
      } as const;
      // Neither an unfinished home nor one with servers elsewhere has anything that could be stopped on the record.
      if (context.settings().connection?.mode !== 'external') {
        await context
          .spool('operator')
          .append(statement)
          .catch((error: unknown) => {
            if (wipe !== true) throw error;
          });
      }
      if (wipe === true) await recordWipe(context);
      // A wipe takes away what they are found by; and the archiver, while it runs, may have one going on.
      if (wipe === true) await removeDeadDrills(home);
      const ran = await stopStack(home, { wipe: wipe === true, report: (line) => context.output.note(line) });
      if (wipe !== true) await removeDeadDrills(home);
      context.output.result({ home: home.path, stopped: ran, wiped: wipe === true }, () =>
        [
          ran ? 'The servers are stopped.' : 'Nothing was running.',
          ...(wipe === true ? ['The home is wiped.'] : []),
        ].join(' '),
      );
    });

  program
    .command('status')
    .description('show the supervisor, the servers and the processes that run beside them')
    .addHelpText('after', '\nExample:\n  wardline status --json')
    .action((_options, command: Command) => {
      const context = contextOf(command);
      const home = context.home();
      const { connection } = context.settings();
      const elsewhere = connection?.mode === 'external' ? connection : undefined;
      const { supervisor, servers, daemons } = stackStatus(home);
      // Of processes that a home does not start it knows nothing; doctor asks the servers.
      const rows: readonly StatusRow[] =
        elsewhere === undefined ? [{ name: 'supervisor', ...supervisor }, ...servers, ...daemons] : [];
      const [archive, schedule] = [archiveLagOf(home), scheduleDocument(home)];
      context.output.result(
        {
          ...{ home: home.path, supervisor, servers, daemons, archive, schedule },
          ...{ kafka: elsewhere?.kafka.brokers, cassandra: elsewhere?.cassandra.contactPoints },
        } as unknown as JsonValue,
        () =>
          [elsewhere === undefined ? processTable(rows) : elsewhereText(elsewhere), ...scheduleText(home)].join('\n'),
      );
      for (const line of [...archiveRemarks(home), ...identityRemarks(home), ...lossRemarks(home)])
        context.output.note(line);
      for (const { name, refusal } of daemons)
        if (refusal !== undefined) context.output.note(`${name} refuses to work: ${refusal}`);
      if (rows.some(({ running }) => !running)) process.exitCode = EXIT.unreachable;
    });

  program
    .command('logs')
    .description("show a server's log")
    .addArgument(new Argument('[log]', 'which log').choices(LOG_NAMES).default('kafka'))
    .option('--lines <n>', 'how many lines', wholeNumber, 50)
    .option('--follow', 'go on as the log grows')
    .addHelpText('after', '\nExample:\n  wardline logs cassandra --lines 100')
    .action(async (name: LogName, { lines, follow }: { lines: number; follow?: boolean }, command: Command) => {
      const context = contextOf(command);
      for await (const line of stackLogs(context.home(), name, {
        lines,
        follow: follow === true,
        signal: context.signal,
      })) {
        context.output.item({ line }, () => line);
      }
    });

  const config = program.command('config').description('settings');
  config
    .command('show')
    .description('show every setting as it is in force')
    .addHelpText('after', '\nExample:\n  wardline config show')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      const { stringify } = await import('yaml');
      const settings = context.settings();
      context.output.result(settings as unknown as JsonValue, () => stringify(settings).trimEnd());
    });
}

function processTable(rows: readonly StatusRow[]): string {
  return table([
    ['process', 'state', 'pid', 'port', 'memory', 'since'],
    ...rows.map(({ name, running, pid, port, memoryBytes, since, refusal }) => [
      name,
      running ? 'running' : refusal === undefined ? 'stopped' : 'refuses',
      String(pid ?? ''),
      String(port ?? ''),
      memoryBytes === undefined ? '' : `${Math.round(memoryBytes / 1024 / 1024)} MiB`,
      since ?? '',
    ]),
  ]);
}

function elsewhereText({ kafka, cassandra }: Connection): string {
  return `Servers that Wardline did not start: Kafka at ${kafka.brokers.join(', ')}, Cassandra at ${cassandra.contactPoints.join(', ')}.`;
}
