import type { Command } from 'commander';
import type { Manifest } from '../../backup/manifest/manifest.ts';
import { namedBackup, readShelf } from '../../backup/manifest/stored-manifests.ts';
import type { JsonValue } from '../../core/record.ts';
import { contextOf } from '../context.ts';
import { table } from '../terminal/output.ts';
import { bytesText, withShelf } from './shelf.ts';

/** A backup in few words. */
interface BackupLine {
  readonly id: string;
  readonly snapshotAt: string | null;
  readonly files: number | null;
  readonly bytes: number | null;
  readonly note: string;
}

/** Adds `backup list` and `backup show`. */
export function registerList(backup: Command): void {
  backup
    .command('list')
    .description('list the backups of this home, and whether their manifests are genuine')
    .addHelpText('after', '\nExample:\n  wardline backup list')
    .action(async (_options, command: Command) => {
      const context = contextOf(command);
      const lines: BackupLine[] = [];
      const address = await withShelf(context, async (shelf) => {
        for await (const { id, manifest, problem } of readShelf(shelf))
          lines.push(
            manifest === undefined
              ? { id, snapshotAt: null, files: null, bytes: null, note: problem?.message ?? '' }
              : { id, ...lineOf(manifest) },
          );
        return shelf.store.address;
      });
      context.output.result({ store: address, backups: lines } as unknown as JsonValue, () =>
        lines.length === 0
          ? `There is no backup in ${address} yet.`
          : table(
              [
                ['backup', 'snapshot', 'files', 'size', ''],
                ...lines.map(({ id, snapshotAt, files, bytes, note }) => [
                  ...[id, snapshotAt ?? '', String(files ?? ''), bytes === null ? '' : bytesText(bytes), note],
                ]),
              ],
              100,
            ),
      );
    });

  backup
    .command('show')
    .description('show what a backup holds')
    .argument('<backup>', 'an id, or latest')
    .addHelpText('after', '\nExample:\n  wardline backup show latest')
    .action(async (name: string, _options, command: Command) => {
      const context = contextOf(command);
      const manifest = await withShelf(context, (shelf) => namedBackup(shelf, name));
      context.output.result(manifest, () => manifestText(manifest));
    });
}

function lineOf({ snapshotAt, files, beforeRestore }: Manifest): Omit<BackupLine, 'id'> {
  return {
    snapshotAt,
    files: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    note: beforeRestore ? 'taken before a restore' : '',
  };
}

function manifestText(manifest: Manifest): string {
  const { cassandra, kafka, contracts, checkpoint, files } = manifest;
  const rows = cassandra.keyspaces.flatMap(({ name, tables }) =>
    tables.map((one) => {
      const own = files.filter(({ keyspace, table: of }) => keyspace === name && of === one.name);
      const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
      return [`${name}.${one.name}`, String(own.length), bytesText(bytes)];
    }),
  );
  const topics = kafka.topics.map(({ name, partitions }) => [
    name,
    String(partitions.length),
    String(partitions.reduce((sum, { low, high }) => sum + high - low, 0)),
  ]);
  const [origin = 'none', size = ''] = checkpoint?.split('\n') ?? [];
  return [
    `Backup ${manifest.id} of installation ${manifest.install}`,
    `Snapshot ${manifest.snapshotAt}; Cassandra ${cassandra.nodes.map(({ version, address }) => `${version} on ${address}`).join(', ')}`,
    `Contracts ${contracts.map(({ id, version }) => `${id} ${version}`).join(', ') || 'none'}`,
    `Audit checkpoint ${origin}${size === '' ? '' : `, ${size} events`}`,
    `Encrypted to ${manifest.recipients.join(', ')}`,
    '',
    table([['table', 'files', 'size'], ...rows], 80),
    '',
    table([['topic', 'partitions', 'messages'], ...topics], 80),
  ].join('\n');
}
