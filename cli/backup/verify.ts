import type { Command } from 'commander';
import { readDamaged, writeDamaged } from '../../backup/manifest/damaged.ts';
import { namedBackup, type ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { verifyBackup, type VerifiedBackup } from '../../backup/verify/verify-backup.ts';
import { EXIT } from '../../core/errors/errors.ts';
import type { JsonValue } from '../../core/record.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { byteCount } from '../terminal/options.ts';
import { bytesText, withShelf, type ShelfOptions } from './shelf.ts';

const OBJECTS_AT_ONCE = 8;

/** Verifies a backup, puts on the record what was found, and remembers what is damaged for the next backup to mend. */
async function verifyCommand(
  context: CommandContext,
  name: string,
  { readData, ...options }: ShelfOptions & { readonly readData: boolean },
): Promise<VerifiedBackup> {
  const verify = async (shelf: ManifestShelf): Promise<VerifiedBackup> =>
    verifyBackup(shelf, await namedBackup(shelf, name), {
      readData,
      parallel: OBJECTS_AT_ONCE,
      onProgress: (objects, of) => context.output.progress(`${objects} of ${of} objects`),
    });
  const verified = await withShelf(context, verify, options);
  const damaged = verified.findings.map(({ object }) => object);
  if (damaged.length > 0) writeDamaged(context.home(), new Set([...readDamaged(context.home()), ...damaged]));
  const audit = context.audit('archiver');
  try {
    await audit.append({
      action: 'backup.verify',
      object: { type: 'backup', id: verified.id },
      outcome: damaged.length === 0 ? 'success' : 'failure',
      counts: { objects: verified.objects, damaged: damaged.length },
      details: { data_read: readData },
    });
  } finally {
    await audit.close();
  }
  return verified;
}

/** Adds `backup verify`. */
export function registerVerify(backup: Command): void {
  backup
    .command('verify')
    .description('check a backup: the signature of its manifest, and that every object is there with its size')
    .argument('<backup>', 'an id, or latest')
    .option('--read-data', 'read every stored byte and compare hashes')
    .option('--rate-limit <bytes>', 'read at most so many bytes a second, such as 10MB', byteCount)
    .addHelpText('after', '\nExample:\n  wardline backup verify latest --read-data')
    .action(async (name: string, options: ShelfOptions & { readData?: boolean }, command: Command) => {
      const context = contextOf(command);
      const verified = await verifyCommand(context, name, { ...options, readData: options.readData === true });
      context.output.result(verified as unknown as JsonValue, () => reportOf(verified));
      if (verified.findings.length > 0) process.exitCode = EXIT.verification;
    });
}

function reportOf({ id, objects, bytes, dataRead, findings }: VerifiedBackup): string {
  const checked = dataRead ? 'every byte was read' : 'all are there with their sizes';
  if (findings.length === 0)
    return `Backup ${id} is whole: its manifest is signed by the archiver; ${objects} objects of ${bytesText(bytes)}: ${checked}.`;
  return [
    `Backup ${id} is damaged: ${findings.length} of ${objects} objects.`,
    ...findings.flatMap(({ name, message, files, backups }) => [
      `  ${name}: ${message}`,
      `    holds ${files.join(', ')}; needed by ${backups.join(', ')}`,
    ]),
    'The next backup stores again what it still finds on the disk.',
  ].join('\n');
}
