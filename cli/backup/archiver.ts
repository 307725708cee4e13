import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createKafkaAuditLog } from '../../audit/append/kafka-audit-log.ts';
import { noteVerifier } from '../../audit/checkpoint/signed-note.ts';
import type { AuditLog, EventStatement } from '../../audit/event/event.ts';
import { signingKey } from '../../audit/signature/signing-key.ts';
import { runArchiver } from '../../backup/archive/archiver.ts';
import { checkpointPublisher } from '../../backup/archive/checkpoints-in-store.ts';
import { breakEvent, breakText, shortenedEvent } from '../../backup/archive/gap-event.ts';
import { kafkaView } from '../../backup/archive/kafka-view.ts';
import { createLagAlarm } from '../../backup/archive/lag/lag-alarm.ts';
import { createLagFile } from '../../backup/archive/lag/lag-file.ts';
import { openArchivePositions } from '../../backup/archive/position.ts';
import { openBackupStore } from '../../backup/objects/open-store.ts';
import { readRecipients } from '../../backup/recipients/recovery.ts';
import { retry } from '../../core/async/retry.ts';
import { sleep, systemClock } from '../../core/clock.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { accessOf, readCredential } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { watchMaterial } from '../../security/connect/material/watch.ts';
import { checkpointPublicKey } from '../../security/keyring/checkpoint-key.ts';
import { CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import { holderOf, tryLock } from '../../stack/index.ts';
import { createInstruments } from '../../telemetry/instruments.ts';
import { createLog } from '../../telemetry/log.ts';
import { ATTRIBUTES } from '../../telemetry/names.ts';
import { trustedKeysOf } from '../audit/sources.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { openTelemetry } from '../telemetry.ts';
import { createNews } from '../terminal/news.ts';
import { followSchedule, requireSchedule } from './schedule.ts';

const FIRST_DELAY = 200;
const LONGEST_DELAY = 5000;
/** Once told to stop, how long what was taken may still take to be sealed: Kafka keeps what is not. */
const STOP_MILLISECONDS = 6000;
/** Within one call: a connection that broke off. */
const STORE_PATIENCE = 2;
const MEGABYTE = 1024 * 1024;

/** The command that bears its principal's name: it copies the topics into the backup store. */
export function registerArchiver(program: Command): void {
  program
    .command('archiver')
    .description('copy all topics into the log archive of the backup store, until stopped; one for each home')
    .addHelpText('after', '\nExample:\n  wardline archiver --home .wardline')
    .action(async (_flags, command: Command) => {
      const context = contextOf(command);
      const counts = await alone(context, () => archive(context));
      context.output.result(counts, () => `${counts.messages} messages archived in ${counts.chunks} chunks.`);
    });
}

/** Two archivers of one home would write each other's chain. */
async function alone<T>(context: CommandContext, work: () => Promise<T>): Promise<T> {
  const path = join(context.home().paths.backup, 'archiver-lock');
  const lock = tryLock(path);
  if (lock === undefined)
    throw new WardlineError(
      'ALREADY_RUNNING',
      `an archiver of this home is running already (process ${holderOf(path)?.pid ?? 'unknown'})`,
      { hint: 'stop it first, or leave it to its work: one archiver copies all topics of a home' },
    );
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function archive(context: CommandContext): Promise<{ messages: number; chunks: number }> {
  const [home, settings, connection] = [context.home(), context.settings(), context.connection()];
  const { archive: limits } = settings.backup;
  const access = accessOf(connection, 'archiver');
  const { install } = home;
  // Without anybody to encrypt to, nothing can be archived at all.
  readRecipients(home);
  await requireSchedule(context);
  const log = createLog({ service: 'archiver', level: settings.telemetry.logLevel, folder: home.paths.logs });
  const telemetry = await openTelemetry(context, 'archiver', 'archiver', (message) => log.logger.warn(message));
  const instruments = createInstruments(telemetry.meter);
  const isNews = createNews(systemClock);
  const say = (kind: 'waiting' | 'alarm', text: string): void => {
    log.logger.warn({ [kind]: text }, kind);
    if (isNews(text)) context.output.note(`${kind}: ${text}`);
  };
  const giveUp = AbortSignal.any([context.secondSignal, someTimeAfter(context.signal)]);
  const kafka = kafkaClient(connection, 'archiver');
  const audit = createKafkaAuditLog({
    ...{ principal: 'archiver', host: hostname(), install, clock: systemClock, kafka },
    signingKeyPem: readCredential(access.signingKey),
    retry: { attempts: Infinity },
    onWaiting: ({ reason }) => say('waiting', `audit log: ${reason}`),
    signal: giveUp,
  });
  // The waiting is done here, for as long as it takes: looking for new topics must not wait for it.
  const store = openBackupStore(home, settings, { patienceSeconds: STORE_PATIENCE, signal: giveUp });
  const patiently = <T>(work: () => Promise<T>): Promise<T> =>
    retry(work, {
      ...{ firstDelayMilliseconds: FIRST_DELAY, longestDelayMilliseconds: LONGEST_DELAY, attempts: Infinity },
      retryable: (error) => asWardlineError(error).retryable,
      onRetry: (error) => say('alarm', `nothing is archived: ${asWardlineError(error).message}`),
      signal: giveUp,
    });
  const notaryKey = checkpointPublicKey(accessOf(connection, 'notary'));
  const checkpoints = checkpointPublisher({ store, install, verifier: (origin) => noteVerifier(origin, notaryKey) });
  const record = (statement: EventStatement): Promise<void> => audit.append(statement);
  const lagAlarm = createLagAlarm({
    ...{ install, record, limitMilliseconds: limits.lagSeconds * 1000 },
    onAlarm: (alarm) => say('alarm', alarm),
  });
  const saveLag = createLagFile(home);
  const count = { messages: 0, chunks: 0 };
  const gap = async (topic: string, text: string, statement: EventStatement): Promise<void> => {
    say('alarm', text);
    instruments.archiveGaps.add(1, { [ATTRIBUTES.messagingDestination]: topic });
    await record(statement);
  };
  try {
    await onRecord(audit, install, () =>
      besideSchedule(context, say, async () => {
        context.output.note(`archiver: copying into ${store.address}`);
        await runArchiver({
          ...{
            kafka,
            view: kafkaView(kafka),
            store,
            install,
            clock: systemClock,
            retry: patiently,
            stop: context.signal,
          },
          recipients: () => readRecipients(home),
          key: signingKey('archiver', readCredential(access.signingKey)),
          keys: trustedKeysOf(connection),
          positions: openArchivePositions(home, store.address),
          chunkBytes: limits.chunkMegabytes * MEGABYTE,
          chunkMilliseconds: limits.chunkSeconds * 1000,
          onBreak: (broken) => gap(broken.topic, breakText(broken), breakEvent(install, broken)),
          onShortened: (topic) =>
            gap(topic, `${store.address} lost chunks of ${topic}`, shortenedEvent(topic, store.address)),
          onTaken(topic, messages) {
            if (topic === CHECKPOINTS_TOPIC) checkpoints.take(messages);
          },
          async onSealed(topic, { frames }) {
            const attributes = { [ATTRIBUTES.messagingDestination]: topic };
            count.chunks += 1;
            count.messages += frames.length;
            instruments.archived.add(frames.length, attributes);
            instruments.archivedBytes.add(
              frames.reduce((sum, { length }) => sum + length, 0),
              attributes,
            );
            if (topic === CHECKPOINTS_TOPIC) await patiently(() => checkpoints.publish());
          },
          async onLag(milliseconds) {
            instruments.archiveLag.record(milliseconds / 1000, {});
            saveLag({ seconds: Math.round(milliseconds / 100) / 10, at: systemClock.now() });
            await lagAlarm(milliseconds);
          },
          onWaiting: (reason) => say('waiting', reason),
          watchCredentials: (onChange) =>
            watchMaterial([connection.kafka.ca, access.certificate, access.key], () => {
              audit.renew();
              onChange();
            }),
        });
        return count;
      }),
    );
  } catch (error) {
    const { retryable, message } = asWardlineError(error);
    // Told to stop while the store or Kafka does not answer: what is not sealed is taken again at the next start.
    if (!context.signal.aborted || !retryable) throw error;
    say('waiting', `ended without everything sealed, which stays in Kafka: ${message}`);
  } finally {
    await audit.close();
    await store.close();
    await telemetry.shutdown();
    log.close();
  }
  return count;
}

/** The schedule is followed as long as the archiver works; its tasks end with it. */
async function besideSchedule(
  context: CommandContext,
  say: (kind: 'alarm', text: string) => void,
  work: () => Promise<Record<string, number>>,
): Promise<Record<string, number>> {
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  const scheduled = followSchedule(context, { signal, onProblem: (text) => say('alarm', text) });
  try {
    return await work();
  } finally {
    over.abort();
    await scheduled;
  }
}

/** States that the archiver begins and that it ended, with what it did in between. */
async function onRecord(audit: AuditLog, install: string, work: () => Promise<Record<string, number>>): Promise<void> {
  const about = { object: { type: 'home', id: install }, outcome: 'success' } as const;
  await audit.append({ action: 'archiver.start', ...about });
  const counts = await work();
  await audit.append({ action: 'archiver.stop', ...about, counts });
}

/** Aborted that long after a signal is. */
function someTimeAfter(signal: AbortSignal): AbortSignal {
  const later = new AbortController();
  signal.addEventListener('abort', () => void sleep(STOP_MILLISECONDS).then(() => later.abort()), { once: true });
  return later.signal;
}
