import type { Command } from 'commander';
import { leaving, previewPrune, prune, type PruneParts, type PruneSummary } from '../../backup/retention/prune.ts';
import type { PrunePlan } from '../../backup/retention/plan-prune.ts';
import { readDamaged } from '../../backup/manifest/damaged.ts';
import { systemClock } from '../../core/clock.ts';
import { EXIT } from '../../core/errors/errors.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { table } from '../terminal/output.ts';
import { bytesText, withShelf } from './shelf.ts';

interface PruneFlags {
  readonly dryRun?: boolean;
  readonly damaged?: boolean;
}

/** Adds `backup prune`. */
export function registerPrune(backup: Command): void {
  backup
    .command('prune')
    .description('remove the backups that backup.retention does not ask for, and what only they needed')
    .option('--dry-run', 'show what would stay and what would go, and change nothing')
    .option('--damaged', 'also remove backups whose manifests are damaged')
    .addHelpText('after', '\nExamples:\n  wardline backup prune --dry-run\n  wardline backup prune --yes')
    .action(async (flags: PruneFlags, command: Command) => {
      const context = contextOf(command);
      const outcome = flags.dryRun === true ? await preview(context, flags) : await pruneCommand(context, flags);
      if (outcome.unreadable > 0) process.exitCode = EXIT.verification;
      else if (outcome.refused > 0) process.exitCode = EXIT.refused;
    });
}

/** What an exit code is made of. */
interface PruneOutcome {
  readonly unreadable: number;
  readonly refused: number;
}

async function preview(context: CommandContext, flags: PruneFlags): Promise<PruneOutcome> {
  return withParts(context, flags, async (parts) => {
    const plan = await previewPrune(parts);
    context.output.result({ dryRun: true, ...planDocument(parts, plan) }, () => planText(parts, plan));
    return { unreadable: plan.unreadable.length, refused: 0 };
  });
}

async function pruneCommand(context: CommandContext, flags: PruneFlags): Promise<PruneOutcome> {
  return withParts(context, flags, async (parts) => {
    if (context.options.yes !== true) await context.confirm(await questionOf(parts));
    const summary = await prune(parts);
    const { plan, removedBackups, removedObjects, removedBytes, removedChunks, refused } = summary;
    const left = plan.unreadable.filter(({ id }) => !removedBackups.includes(id));
    context.output.result(
      {
        ...{ dryRun: false, ...planDocument(parts, plan), removedBackups: [...removedBackups] },
        ...{ removedObjects, removedBytes, removedChunks, refused: Object.fromEntries(refused) },
      },
      () => summaryText(summary),
    );
    return { unreadable: left.length, refused: refused.size };
  });
}

async function questionOf(parts: PruneParts): Promise<string> {
  const going = leaving(parts, await previewPrune(parts));
  const what = going.length === 0 ? 'what no backup needs' : `the backups ${going.join(', ')}, and what only they need`;
  return `This removes ${what}, from ${parts.store.address}.`;
}

async function withParts<T>(
  context: CommandContext,
  { damaged }: PruneFlags,
  work: (parts: PruneParts) => Promise<T>,
): Promise<T> {
  const home = context.home();
  const audit = context.audit('archiver');
  try {
    return await withShelf(context, ({ store, trusted }) =>
      work({
        ...{ home, store, trusted, audit, clock: systemClock, settings: context.settings().backup },
        ...{ damaged: readDamaged(home), removeUnreadable: damaged === true },
        onProgress: (removed, of) => context.output.progress(`${removed} of ${of} removed`),
      }),
    );
  } finally {
    await audit.close();
  }
}

function planDocument(parts: PruneParts, plan: PrunePlan) {
  const { backups, unreadable, held = null, garbage, leftovers, archive } = plan;
  return {
    store: parts.store.address,
    backups: backups.map(({ id, snapshotAt, reasons }) => ({
      ...{ id, snapshotAt: new Date(snapshotAt).toISOString(), keptBy: [...reasons] },
    })),
    unreadable: unreadable.map(({ id, problem }) => ({ id, message: problem.message })),
    ...{ going: [...leaving(parts, plan)], held },
    ...{ objects: garbage.length, bytes: totalBytes(plan), leftovers: leftovers.length },
    archive: archive.map(({ topic, chunks, bytes }) => ({ topic, chunks, bytes })),
  };
}

function planText(parts: PruneParts, plan: PrunePlan): string {
  const going = new Set(leaving(parts, plan));
  const rows = [
    ...plan.backups.map(({ id, reasons }) => [id, going.has(id) ? 'goes' : 'stays', reasons.join(', ')]),
    ...plan.unreadable.map(({ id, problem }) => [id, going.has(id) ? 'goes' : 'stays', problem.message]),
  ];
  const objects = `${plan.garbage.length} objects of ${bytesText(totalBytes(plan))} that nothing else needs go as well.`;
  return [
    table([['backup', '', 'why'], ...rows], 100),
    ...plan.archive.map(
      ({ topic, chunks, bytes }) =>
        `${chunks} chunks of ${bytesText(bytes)} of the log archive of ${topic} go, past its retention.`,
    ),
    plan.held === undefined ? objects : `No object goes: ${plan.held}.`,
  ].join('\n');
}

function summaryText(summary: PruneSummary): string {
  const { plan, removedBackups, removedObjects, removedBytes, removedChunks, refused } = summary;
  const left = plan.unreadable.filter(({ id }) => !removedBackups.includes(id));
  return [
    ...(removedChunks === 0 ? [] : [`${removedChunks} chunks of the log archive are removed, past their retention.`]),
    `${removedBackups.length} backups are removed, and ${removedObjects} objects of ${bytesText(removedBytes)}.`,
    ...(plan.held === undefined ? [] : [`No object was removed: ${plan.held}.`]),
    ...left.map(({ problem: { message, hint = '' } }) => `${message}; ${hint}`),
    ...[...refused].map(([name, why]) => `The store keeps ${name}: ${why}`),
  ].join('\n');
}

function totalBytes({ garbage }: PrunePlan): number {
  return garbage.reduce((sum, { bytes }) => sum + bytes, 0);
}
