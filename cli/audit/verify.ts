import { basename } from 'node:path';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { NoteVerifier } from '../../audit/checkpoint/signed-note.ts';
import type { CheckpointReader } from '../../audit/notary/places.ts';
import { blocksHere, startBlockThreads, type BlockReader } from '../../audit/verify/block-threads.ts';
import { loadPrefix, savePrefix, type SavedPrefix } from '../../audit/verify/verified-prefix.ts';
import { verifyLog, type VerifyReport } from '../../audit/verify/verify.ts';
import { EXIT, WardlineError } from '../../core/errors/errors.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { fileAt, keysIn } from './proofs.ts';
import { onAuditRecord, publicKeysOf, trustedKeysOf, withAuditSources, type AuditSources } from './sources.ts';
import { reportDocument, reportText } from './verify-report.ts';

const SAVE_INTERVAL = 2000;
const SIGNATURE_THREADS = 2;

interface VerifyFlags {
  readonly signatures?: boolean;
  readonly sinceLast?: boolean;
  readonly checkpoint?: readonly string[];
  readonly key?: string;
}

/** Adds `audit verify`. */
export function registerVerify(audit: Command): void {
  audit
    .command('verify')
    .description('recompute the log from every copy and hold it against every checkpoint; names what differs')
    .option('--signatures', "also check each event's signature")
    .option('--since-last', 'go on where the last verification found everything whole')
    .option('--checkpoint <files...>', 'also hold it against checkpoints that were kept elsewhere')
    .option('--key <file>', "verify checkpoints with these keys in place of the home's: lines of `audit key`")
    .addHelpText(
      'after',
      '\nExamples:\n  wardline audit verify --signatures\n  wardline audit verify --checkpoint kept/2026-05-03.note --key kept/wardline.key',
    )
    .action(async (flags: VerifyFlags, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, async (sources) => {
        const object = { type: 'audit-log', id: sources.install };
        const how = { signatures: flags.signatures === true, since_last: flags.sinceLast === true };
        await onAuditRecord(context, sources.principal, 'audit.verify', object, how);
        const started = performance.now();
        const report = await verifyAuditLog(context, sources, flags);
        const seconds = (performance.now() - started) / 1000;
        context.output.result(reportDocument(report, seconds), () => reportText(report, seconds));
        if (report.findings.length > 0) process.exitCode = EXIT.verification;
      });
    });
}

/** Verifies the log from its sources, showing how far it is. */
export async function verifyAuditLog(
  context: CommandContext,
  sources: AuditSources,
  flags: VerifyFlags = {},
): Promise<VerifyReport> {
  const { install, connection } = sources;
  const file = context.home().paths.verified;
  const from = flags.sinceLast === true ? await loadPrefix(file, install) : undefined;
  const kept = (flags.checkpoint ?? []).map(checkpointFile);
  const blocks = flags.signatures === true ? signatureThreads(sources) : blocksHere(sources.cassandra);
  const progress = createProgress(context, (prefix) => savePrefix(file, install, prefix));
  try {
    const report = await verifyLog({
      ...sources,
      places: [...sources.places, ...kept],
      verifier: flags.key === undefined ? (origin) => sources.verifier(origin) : verifierFrom(keysIn(flags.key)),
      keys: trustedKeysOf(connection),
      blocks,
      from,
      onProgress: progress.onProgress,
    });
    progress.save();
    return report;
  } finally {
    await blocks.close();
  }
}

/** Checking signatures keeps more than one core busy. */
function signatureThreads({ connection, principal }: AuditSources): BlockReader {
  const count = Math.min(SIGNATURE_THREADS, availableParallelism());
  return startBlockThreads(count, { connection, principal, keys: publicKeysOf(connection) });
}

/** Shows how far it is, and keeps now and then how far all was well. */
function createProgress(context: CommandContext, keep: (prefix: SavedPrefix) => void) {
  let latest: SavedPrefix | undefined;
  // The first block that was found whole is kept at once: who ends a verification early goes on behind it.
  let saved = -Infinity;
  const save = (): void => {
    if (latest !== undefined) keep(latest);
    latest = undefined;
    saved = performance.now();
  };
  return {
    save,
    onProgress: (epoch: number, events: number, prefix: SavedPrefix['prefix'] | undefined): void => {
      context.output.progress(`epoch ${epoch}: ${events} events verified`);
      if (prefix !== undefined) latest = { epoch, prefix };
      if (performance.now() - saved > SAVE_INTERVAL) save();
    },
  };
}

function checkpointFile(path: string): CheckpointReader {
  const note = fileAt(path).toString('utf8');
  return {
    name: basename(path),
    latest: () => Promise.resolve([note]),
    async *all() {
      yield await Promise.resolve([note]);
    },
  };
}

function verifierFrom(keys: readonly NoteVerifier[]): (origin: string) => NoteVerifier {
  return (origin) => {
    const key = keys.find(({ name }) => name === origin);
    if (key !== undefined) return key;
    throw new WardlineError('AUDIT_CHECKPOINT_INVALID', `none of the keys is that of ${origin}`, {
      hint: 'the file needs a line for each epoch',
    });
  };
}
