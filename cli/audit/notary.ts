import type { Command } from 'commander';
import { noteSigner } from '../../audit/checkpoint/signed-note.ts';
import { openNewEpoch } from '../../audit/notary/new-epoch.ts';
import { openLog } from '../../audit/notary/open-log.ts';
import { runNotary } from '../../audit/notary/notary.ts';
import { checkpointsFolder, checkpointsTopic } from '../../audit/notary/places.ts';
import { systemClock } from '../../core/clock.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { retry } from '../../core/async/retry.ts';
import { accessOf } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { watchMaterial } from '../../security/connect/material/watch.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { createLog } from '../../telemetry/log.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { createNews } from '../terminal/news.ts';
import { auditSources, type AuditSources } from './sources.ts';

const FIRST_DELAY = 100;
const LONGEST_DELAY = 5000;

interface NotaryFlags {
  readonly newEpoch?: boolean;
  readonly reason?: string;
}

/** Adds the command `notary`. */
export function registerNotary(program: Command): void {
  program
    .command('notary')
    .description('store the audit events in order and sign checkpoints over them, until asked to stop')
    .option('--new-epoch', 'first open a new epoch, which states what was lost; only where something was')
    .option('--reason <text>', 'why: goes on the record')
    .addHelpText(
      'after',
      '\nExamples:\n  wardline notary\n  wardline notary --new-epoch --reason "broker disk lost on 3 May"',
    )
    .action(async (flags: NotaryFlags, command: Command) => {
      const context = contextOf(command);
      const sources = auditSources(context, 'notary', 'service');
      try {
        if (flags.newEpoch === true) await declare(context, sources, flags.reason);
        await notarize(context, sources);
      } finally {
        await sources.close();
      }
      context.output.result({ stopped: true }, () => 'The notary is stopped.');
    });
}

async function declare(context: CommandContext, sources: AuditSources, reason: string | undefined): Promise<void> {
  if (reason === undefined || reason.trim() === '')
    throw new WardlineError('USAGE', 'a new epoch needs a reason', { hint: 'add --reason "what happened"' });
  const audit = context.audit('notary');
  try {
    const { epoch, declaredAt, held } = await openNewEpoch(sources, audit, reason);
    context.output.note(
      `epoch ${epoch} is open: event ${declaredAt} states that of epoch ${epoch - 1} ${held} events are held`,
    );
  } finally {
    await audit.close();
  }
}

async function notarize(context: CommandContext, sources: AuditSources): Promise<void> {
  const { connection } = sources;
  const access = accessOf(connection, 'notary');
  const privateKey = (await openKeyStore(access)).checkpointKey();
  const kafka = kafkaClient(connection, 'notary', { patience: 'service' });
  const audit = context.audit('notary');
  const isNews = createNews(systemClock);
  const say = sayer(context);
  const onWaiting = (reason: string): void => {
    if (isNews(reason)) say(`waiting: ${reason}`);
  };
  const renewal = watchMaterial([connection.cassandra.ca, access.certificate, access.key], () =>
    sources.cassandra.renew(),
  );
  const about = { object: { type: 'home', id: sources.install }, outcome: 'success' } as const;
  const policy = {
    firstDelayMilliseconds: FIRST_DELAY,
    longestDelayMilliseconds: LONGEST_DELAY,
    attempts: Infinity,
    retryable: (error: unknown) => asWardlineError(error).retryable,
    onRetry: (error: unknown) => onWaiting(asWardlineError(error).message),
  };
  try {
    // A notary that refuses to work leaves no trace on a topic that may be the wrong one.
    await retry(() => openLog(sources), { ...policy, signal: context.signal });
    await audit.append({ action: 'notary.start', ...about });
    await runNotary({
      sources,
      kafka,
      signer: (origin) => noteSigner(origin, privateKey),
      publishTo: () => [checkpointsTopic(kafka), checkpointsFolder(context.home().paths.checkpoints, systemClock)],
      clock: systemClock,
      retry: { ...policy, signal: context.secondSignal },
      onWaiting,
      onOpened: (epoch, size) => say(`epoch ${epoch}: going on after ${size} events`),
      signal: context.signal,
    });
    await audit.append({ action: 'notary.stop', ...about });
  } finally {
    renewal.close();
    await audit.close();
  }
}

/** Where what happens is told: on a terminal as a remark; with --json, as under the supervisor, as lines of a log. */
function sayer(context: CommandContext): (line: string) => void {
  const { output } = context;
  if (!output.json) return (line) => output.note(`notary: ${line}`);
  const { logger } = createLog({ service: 'notary', level: context.settings().telemetry.logLevel });
  return (line) => logger.info(line);
}
