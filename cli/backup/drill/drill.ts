import { join } from 'node:path';
import type { Command } from 'commander';
import { kafkaView } from '../../../backup/archive/kafka-view.ts';
import { restoreChecks } from '../../../backup/drill/checks.ts';
import { measureRpo } from '../../../backup/drill/measure-rpo.ts';
import { drillReport, type DrillCheck, type DrillReport } from '../../../backup/drill/report.ts';
import { namedBackup, type ManifestShelf } from '../../../backup/manifest/stored-manifests.ts';
import { newBackupId } from '../../../backup/naming.ts';
import { describeRecipients, readIdentities } from '../../../backup/recipients/recovery.ts';
import { systemClock } from '../../../core/clock.ts';
import { asWardlineError, EXIT, WardlineError } from '../../../core/errors/errors.ts';
import type { JsonValue } from '../../../core/record.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC } from '../../../security/principals/names.ts';
import { stackStatus } from '../../../stack/index.ts';
import { contextOf, type CommandContext } from '../../context.ts';
import { table } from '../../terminal/output.ts';
import { keepDrillReport } from './record.ts';
import { oneDrillAtATime } from './one-at-a-time.ts';
import { removeDrillHome, restoreForDrill, type DrillRestoreOptions, type TimedRestore } from './restore.ts';
import { onRecordWhateverRuns } from '../on-record.ts';
import { withShelf } from '../shelf.ts';

interface DrillFlags {
  readonly identity?: string;
  readonly openFields?: boolean;
}

/** The archiver is seconds behind; much longer is no RPO that anybody would want to hear of. */
const ARCHIVE_PATIENCE = 60_000;

/** Adds `backup drill`. */
export function registerDrill(backup: Command): void {
  backup
    .command('drill')
    .description(
      'restore the latest backup into new servers, check and time it, and remove them; leaves a signed report',
    )
    .option('--identity <file>', 'the recovery identity, where it is not in the home')
    .option('--open-fields', 'also open a sample of sealed fields; where there is a drill identity this is always done')
    .addHelpText('after', '\nExample:\n  wardline backup drill')
    .action(async (flags: DrillFlags, command: Command) => {
      const context = contextOf(command);
      const { report, page } = await oneDrillAtATime(context.home(), () => drill(context, flags));
      context.output.result({ ...(report as unknown as Record<string, JsonValue>), page }, () =>
        reportText(report, page),
      );
      if (!report.passed) process.exitCode = EXIT.verification;
    });
}

async function drill(
  context: CommandContext,
  { identity, openFields }: DrillFlags,
): Promise<{ report: DrillReport; page: string }> {
  const home = context.home();
  const id = newBackupId(systemClock.now());
  const startedAt = now();
  // Asked for first: without it nothing that is done here would lead anywhere.
  readIdentities(home, identity);
  const opensFields = openFields === true || describeRecipients(home).drill !== undefined;
  return withShelf(context, async (shelf) => {
    const { id: backup, snapshotAt } = await namedBackup(shelf, 'latest');
    const rpo = await beginOnRecord(context, shelf, { id, backup, opensFields });
    const outcome = await restored(context, backup, { id, identity, opensFields });
    const checks =
      'restored' in outcome
        ? [...restoreChecks(outcome.restored), ...(outcome.sample ? [outcome.sample] : [])]
        : [outcome];
    const { tables = [], topics = [], keys = null, audit = null } = 'restored' in outcome ? outcome.restored : {};
    const report = drillReport({
      ...{ id, install: home.install, backup, snapshotAt, startedAt, endedAt: now() },
      checks: [...(rpo === 'not running' ? [] : [archiveCheck(rpo)]), ...checks],
      rpoSeconds: typeof rpo === 'number' ? rpo : null,
      rtoSeconds: 'restored' in outcome ? outcome.seconds : null,
      ...{ tables, topics, keys, audit },
    });
    return { report, page: await keepDrillReport(context, shelf.store, report) };
  });
}

/** States that the drill begins, and measures how long the log archive takes to hold that. */
async function beginOnRecord(
  context: CommandContext,
  shelf: ManifestShelf,
  { id, backup, opensFields }: { readonly id: string; readonly backup: string; readonly opensFields: boolean },
): Promise<number | undefined | 'not running'> {
  const append = (): Promise<void> =>
    onRecordWhateverRuns(
      context,
      {
        action: 'backup.drill',
        object: { type: 'backup', id: backup },
        outcome: 'success',
        details: { drill: id, what: 'begun', opens_fields: opensFields },
      },
      'archiver',
    );
  if (!stackStatus(context.home()).supervisor.running) {
    await append();
    return 'not running';
  }
  const kafka = kafkaView(kafkaClient(context.connection(), 'archiver'));
  const high = async (): Promise<ReadonlyMap<number, number>> =>
    new Map([...(await kafka.bounds(AUDIT_TOPIC))].map(([partition, bounds]) => [partition, bounds.high]));
  context.output.progress('how far behind is the log archive?');
  try {
    return await measureRpo({ ...shelf, topic: AUDIT_TOPIC, append, high, patience: ARCHIVE_PATIENCE });
  } finally {
    await kafka.close();
  }
}

function archiveCheck(rpo: number | undefined): DrillCheck {
  const found = rpo === undefined ? `not within ${ARCHIVE_PATIENCE / 1000} s` : `after ${rpo} s`;
  return { name: 'the log archive holds what Kafka acknowledged', passed: rpo !== undefined, found };
}

/** What came back, or the check that the restore failed. However it ends, nothing of it is left. */
async function restored(
  context: CommandContext,
  backup: string,
  { id, ...how }: { readonly id: string } & Omit<DrillRestoreOptions, 'asOf'>,
): Promise<TimedRestore | DrillCheck> {
  const path = join(context.home().paths.drills, id);
  const { signal } = context;
  const brokenOff = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(new WardlineError('INTERNAL', 'the drill was broken off'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([restoreForDrill(context, backup, path, { asOf: systemClock.now(), ...how }), brokenOff]);
  } catch (error) {
    if (signal.aborted) throw error;
    return { name: 'the backup can be restored', passed: false, found: asWardlineError(error).message };
  } finally {
    context.output.progress('removing the servers of the drill');
    await removeDrillHome(path);
  }
}

function now(): string {
  return new Date(systemClock.now()).toISOString();
}

function reportText({ backup, passed, checks, rpoSeconds, rtoSeconds }: DrillReport, page: string): string {
  const seconds = (value: number | null): string => (value === null ? 'not measured' : `${value} s`);
  return [
    table(
      [['check', '', 'found'], ...checks.map((one) => [one.name, one.passed ? 'passed' : 'FAILED', one.found])],
      100,
    ),
    `The drill of backup ${backup} ${passed ? 'passed' : 'FAILED'}: RPO ${seconds(rpoSeconds)}, RTO ${seconds(rtoSeconds)}.`,
    `Report, signed beside it and in the store: ${page}`,
  ].join('\n');
}
