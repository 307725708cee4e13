import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createKafkaAuditLog } from '../../audit/append/kafka-audit-log.ts';
import { openPositions } from '../../audit/recorder/position.ts';
import { runRecorder, type RecorderSummary } from '../../audit/recorder/recorder.ts';
import type { ServerLogName } from '../../audit/recorder/server-logs.ts';
import { sleep, systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { accessOf, readCredential } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { watchMaterial } from '../../security/connect/material/watch.ts';
import { holderOf, serverLogs, tryLock } from '../../stack/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { createNews } from '../terminal/news.ts';

/** Once told to stop, how long what is being sent may still take. */
const STOP_MILLISECONDS = 3000;

interface LogFlags {
  readonly kafkaLog?: string;
  readonly kafkaAuthorizerLog?: string;
  readonly cassandraAuditLog?: string;
}

type Logs = Readonly<Partial<Record<ServerLogName, string>>>;

/** The command that bears its principal's name: it follows the servers' logs, and drains the spool. */
export function registerRecorder(program: Command): void {
  program
    .command('recorder')
    .description(
      "turn the servers' own logs into audit events, and bring the spool's onto the audit topic, until stopped; one for each home",
    )
    .option('--kafka-log <file>', "a broker's log; the embedded one's unless told otherwise")
    .option('--kafka-authorizer-log <file>', 'the log of what that broker denied')
    .option('--cassandra-audit-log <file>', "the log of a node's FileAuditLogger")
    .addHelpText('after', '\nExample:\n  wardline recorder --home .wardline')
    .action(async (flags: LogFlags, command: Command) => {
      const context = contextOf(command);
      const { events, drained } = await alone(context, () => record(context, logsOf(context, flags)));
      context.output.result({ events, drained }, () => `${events} events recorded, ${drained} entries drained.`);
    });
}

/** What the flags name; where the servers are embedded, their logs. Of servers elsewhere nobody knows where they write. */
function logsOf(context: CommandContext, flags: LogFlags): Logs {
  const { kafkaLog, kafkaAuthorizerLog, cassandraAuditLog } = flags;
  const external = context.settings().connection?.mode === 'external';
  const named = { kafka: kafkaLog, 'kafka-authorizer': kafkaAuthorizerLog, 'cassandra-audit': cassandraAuditLog };
  const given = Object.entries(named).flatMap(([name, path]) => (path === undefined ? [] : [[name, path]]));
  return { ...(external ? {} : serverLogs(context.home())), ...(Object.fromEntries(given) as Logs) };
}

/** Two recorders of one home would send everything twice, and save their positions over each other's. */
async function alone<T>(context: CommandContext, work: () => Promise<T>): Promise<T> {
  const path = join(context.home().paths.recorder, 'lock');
  const lock = tryLock(path);
  if (lock === undefined)
    throw new WardlineError(
      'ALREADY_RUNNING',
      `a recorder of this home is running already (process ${holderOf(path)?.pid ?? 'unknown'})`,
      { hint: 'stop it first, or leave it to its work: one recorder follows all logs of a home' },
    );
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function record(context: CommandContext, logs: Logs): Promise<RecorderSummary> {
  const [home, connection] = [context.home(), context.connection()];
  const access = accessOf(connection, 'recorder');
  const log = createLog({ service: 'recorder', level: context.settings().telemetry.logLevel, folder: home.paths.logs });
  const isNews = createNews(systemClock);
  const onWaiting = (reason: string): void => {
    log.logger.warn({ reason }, 'waiting');
    if (isNews(reason)) context.output.note(`waiting: ${reason}`);
  };
  const author = { principal: 'recorder', host: hostname(), install: home.install, clock: systemClock };
  const audit = createKafkaAuditLog({
    ...author,
    kafka: kafkaClient(connection, 'recorder'),
    signingKeyPem: readCredential(access.signingKey),
    retry: { attempts: Infinity },
    onWaiting: ({ reason }) => onWaiting(`audit log: ${reason}`),
    signal: AbortSignal.any([context.secondSignal, someTimeAfter(context.signal)]),
  });
  const renewal = watchMaterial([connection.kafka.ca, access.certificate, access.key], () => audit.renew());
  try {
    return await runRecorder({
      ...author,
      ...{ logs, audit, onWaiting, spool: home.paths.spool, stop: context.signal },
      positions: openPositions(home.paths.recorder),
      onFollowing: () => context.output.note(`recorder: following ${[...Object.keys(logs), 'spool'].join(', ')}`),
      onTrouble(trouble) {
        log.logger.warn({ trouble }, 'trouble');
        // Clients may cause as many as they like; the log's files are bounded, a console is not.
        if (isNews(trouble)) context.output.note(`recorder: ${trouble}`);
      },
    });
  } finally {
    renewal.close();
    await audit.close();
    log.close();
  }
}

/** Aborted that long after a signal is. */
function someTimeAfter(signal: AbortSignal): AbortSignal {
  const later = new AbortController();
  signal.addEventListener('abort', () => void sleep(STOP_MILLISECONDS).then(() => later.abort()), { once: true });
  return later.signal;
}
