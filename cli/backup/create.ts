import { constants, setPriority } from 'node:os';
import type { Command } from 'commander';
import { checkpointsFolder, checkpointsTopicReader } from '../../audit/notary/places.ts';
import { noteVerifier } from '../../audit/checkpoint/signed-note.ts';
import { signingKey } from '../../audit/signature/signing-key.ts';
import type { Manifest } from '../../backup/manifest/manifest.ts';
import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { readRecipients } from '../../backup/recipients/recovery.ts';
import { unfinishedRestores } from '../../backup/restore/unfinished.ts';
import { captureCassandra } from '../../backup/snapshot/capture-cassandra.ts';
import { captureKafka } from '../../backup/snapshot/capture-kafka.ts';
import { createBackup, type BackupSummary } from '../../backup/snapshot/create.ts';
import { newestCheckpoint } from '../../backup/snapshot/newest-checkpoint.ts';
import { embeddedNode } from '../../backup/snapshot/node.ts';
import { systemClock } from '../../core/clock.ts';
import { accessOf, readCredential } from '../../security/connect/access.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { checkpointPublicKey } from '../../security/keyring/checkpoint-key.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { contractsInForce } from '../in-force.ts';
import { requireNothingLost } from '../lost.ts';
import { byteCount } from '../terminal/options.ts';
import { bytesText, withShelf, type ShelfOptions } from './shelf.ts';

const ARCHIVER = 'archiver';
export const FILES_AT_ONCE = 8;

/** Makes a backup of a home's servers as the archiver. */
export async function createCommand(
  context: CommandContext,
  options: ShelfOptions & { readonly beforeRestore?: boolean } = {},
): Promise<BackupSummary> {
  // A backup of servers that were made anew would be the latest, and hold nothing of what is to be restored.
  if (options.beforeRestore !== true) requireNothingLost(context.home());
  const home = context.home();
  const connection = context.connection();
  const access = accessOf(connection, ARCHIVER);
  const keyStore = await openKeyStore(access);
  const kafka = kafkaClient(connection, ARCHIVER);
  const admin = kafka.admin();
  const cassandra = cassandraClient(connection, ARCHIVER, { connectionsPerHost: 1 });
  const audit = context.audit(ARCHIVER);
  const publicKey = checkpointPublicKey(accessOf(connection, 'notary'));
  try {
    await Promise.all([admin.connect().catch(kafkaFailed), cassandra.connect().catch(cassandraFailed)]);
    const create = ({ store, trusted }: ManifestShelf): Promise<BackupSummary> =>
      createBackup({
        ...{ home, store, trusted, audit, clock: systemClock },
        signingKey: signingKey(ARCHIVER, readCredential(access.signingKey)),
        namingKey: keyStore.namingKey(),
        recipients: readRecipients(home),
        captureKafka: () => captureKafka(admin),
        captureCheckpoint: () =>
          newestCheckpoint({
            install: home.install,
            places: [
              checkpointsFolder(home.paths.checkpoints, systemClock),
              checkpointsTopicReader({ kafka, principal: ARCHIVER }),
            ],
            verifier: (origin) => noteVerifier(origin, publicKey),
          }),
        captureCassandra: () => captureCassandra(cassandra),
        contracts: contractsInForce(home),
        node: embeddedNode(home),
        parallel: FILES_AT_ONCE,
        patience: context.settings().backup.patienceSeconds * 1000,
        nodePatience: context.settings().backup.nodePatienceSeconds * 1000,
        onWaitingForNodes: (nodes) => context.output.note(`waiting for the part of node ${nodes.join(', ')}`),
        isBeforeRestore: () => options.beforeRestore === true || isHalfRestored(context),
        onProgress: ({ files, bytes }) => context.output.progress(`${files} files, ${bytesText(bytes)}`),
      });
    return await withShelf(context, create, options);
  } finally {
    await Promise.allSettled([admin.disconnect(), cassandra.shutdown(), audit.close()]);
  }
}

/** Whether a table may hold half of what it should, because a restore of it goes on or was cut short. */
function isHalfRestored(context: CommandContext): boolean {
  const unfinished = Object.entries(unfinishedRestores(context.home()));
  for (const [table, backup] of unfinished)
    context.output.note(
      `a restore of ${table} from backup ${backup} has not come to its end: latest will pass this backup over; if it was cut short, run it again`,
    );
  return unfinished.length > 0;
}

/** Adds `backup create`. */
export function registerCreate(backup: Command): void {
  backup
    .command('create')
    .description('make a backup: committed offsets, audit checkpoint, then a snapshot of all tables but those of keys')
    .option('--rate-limit <bytes>', 'write and read at most so many bytes a second, such as 10MB', byteCount)
    .addHelpText('after', '\nExample:\n  wardline backup create --rate-limit 20MB')
    .action(async (options: ShelfOptions, command: Command) => {
      const context = contextOf(command);
      // It hashes and encrypts as fast as it may: what the pipeline needs of the processors goes first.
      yieldToPipeline();
      const started = performance.now();
      const { id, files, bytes, sent, manifest, manifestSha256 } = await createCommand(context, options);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      context.output.result({ id, files, bytes, sent, seconds, manifestSha256, tables: tablesOf(manifest) }, () =>
        [
          `Backup ${id}: ${files} files of ${tablesOf(manifest).length} tables, ${bytesText(bytes)}; ${bytesText(sent)} sent, in ${seconds} s.`,
          `Manifest, signed by the archiver and on the audit log: SHA-256 ${manifestSha256}`,
        ].join('\n'),
      );
    });
}

function tablesOf({ cassandra }: Manifest): readonly string[] {
  return cassandra.keyspaces.flatMap(({ name, tables }) => tables.map((table) => `${name}.${table.name}`));
}

function yieldToPipeline(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has an even lower one already, which it may not raise.
  }
}

function kafkaFailed(error: unknown): never {
  throw asKafkaError(error);
}

function cassandraFailed(error: unknown): never {
  throw asCassandraError(error);
}
