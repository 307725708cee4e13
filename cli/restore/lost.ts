import { openEscrowStore } from '../../backup/objects/open-store.ts';
import type { ReadArchiveOptions } from '../../backup/archive/read/read-archive.ts';
import { restoreKeys, type RestoredKeys } from '../../backup/escrow/restore-keys.ts';
import type { Manifest } from '../../backup/manifest/manifest.ts';
import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { readRecipients } from '../../backup/recipients/recovery.ts';
import type { RecoveredAudit } from '../../backup/restore/audit-log.ts';
import { lossWindow, type LossWindow } from '../../backup/restore/loss-window.ts';
import { committedWhenBackedUp } from '../../backup/restore/committed.ts';
import { replayArchive } from '../../backup/restore/replay.ts';
import { fetchFiles } from '../../backup/restore/table/fetch-files.ts';
import { stagedTable } from '../../backup/restore/table/import-table.ts';
import type { TableRestoreParts } from '../../backup/restore/table/restore-table.ts';
import { tablesOf } from '../../backup/restore/table/schema.ts';
import { rebuildTopics, refillCheckpoints, type RebuiltTopic } from '../../backup/restore/topics/rebuild-topics.ts';
import { systemClock } from '../../core/clock.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { accessOf } from '../../security/connect/access.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { cassandraDekTable } from '../../security/keyring/dek-table.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import type { Loss } from '../../stack/index.ts';
import type { CommandContext } from '../context.ts';
import { recoverAudit } from './lost-audit.ts';

/** What a restore needs to bring back servers that were made anew. */
export interface LostServers {
  readonly context: CommandContext;
  /** Of the home whose backups and escrow are restored from: the same, unless it is restored into another. */
  readonly source: CommandContext;
  readonly shelf: ManifestShelf;
  readonly manifest: Manifest;
  readonly identities: readonly string[];
  readonly loss: Loss;
  /** One version of each contract: the newest. */
  readonly contracts: readonly CompiledContract[];
  /** Told when rows and their keys are back, which is all that a reader needs; Kafka's topics come after. */
  readonly onReadable: () => void;
}

export interface RestoredServers {
  readonly window: LossWindow;
  /** Undefined where Cassandra was not lost. */
  readonly keys: RestoredKeys | undefined;
  readonly topics: readonly RebuiltTopic[];
  readonly audit: RecoveredAudit;
}

/** The keys that Cassandra had, out of the escrow. Their tables MUST be there. */
async function restoreLostKeys({ context, source, identities }: LostServers): Promise<RestoredKeys> {
  const [home, connection] = [context.home(), context.connection()];
  const store = openEscrowStore(source.home(), source.settings());
  const client = cassandraClient(connection, 'source');
  try {
    return await restoreKeys({
      ...{ store, install: home.install, identities, recipients: () => readRecipients(home) },
      table: (contract, classification) => cassandraDekTable(client, contract, classification),
      keyStore: await openKeyStore(accessOf(connection, 'source')),
    });
  } finally {
    await Promise.allSettled([client.shutdown(), store.close()]);
  }
}

/**
 * Brings back what beside the data tables was lost with the servers: keys, the audit log, and Kafka's topics. The tables
 * MUST hold by now all that backup and archive have of them. Doing so again goes on where it was cut short.
 */
export async function restoreLostServers(lost: LostServers, parts: TableRestoreParts): Promise<RestoredServers> {
  const { context, shelf, manifest, loss, contracts, identities } = lost;
  const { store, install, trusted } = shelf;
  const archive: Omit<ReadArchiveOptions, 'from' | 'to' | 'onGap' | 'topic'> = {
    ...{ store, install, identities, verify: trusted },
  };
  const lastSign = Math.max(loss.kafka?.lastSign ?? 0, loss.cassandra?.lastSign ?? 0);
  const before = loss.kafka?.foundAt ?? loss.cassandra?.foundAt ?? systemClock.now();
  const { chunkSeconds } = context.settings().backup.archive;
  const window = await lossWindow({ store, install, verify: trusted }, lastSign === 0 ? undefined : lastSign, {
    ...{ before, chunkSeconds },
  });
  const onStep = (step: string): void => context.output.progress(step);
  for (const contract of contracts) await parts.provision(contract);
  for (const contract of contracts.filter((each) => !isBackedUp(each, manifest))) await replayWhole(contract, parts);
  onStep('keys: out of the escrow');
  const keys = loss.cassandra === undefined ? undefined : await restoreLostKeys(lost);
  lost.onReadable();
  if (loss.cassandra !== undefined) await importAudit(manifest, parts);
  const rebuild = {
    ...{ manifest, archive, clock: systemClock, onStep },
    kafkaOf: (principal: Parameters<typeof kafkaClient>[1]) => kafkaClient(context.connection(), principal),
    provision: parts.provision,
  };
  const checkpoints = loss.kafka === undefined ? [] : [await refillCheckpoints(rebuild)];
  onStep('audit log: what the archive has of it');
  const audit = await recoverAudit(context, archive, reasonOf(manifest, window));
  const topics = loss.kafka === undefined ? [] : await rebuildTopics(rebuild, contracts);
  return { window, keys, topics: [...topics, ...checkpoints], audit };
}

function isBackedUp({ table }: CompiledContract, manifest: Manifest): boolean {
  return tablesOf(manifest).some((each) => each.keyspace === table.keyspace && each.table === table.name);
}

/** Of a contract that came into force after the backup, the archive has everything. */
async function replayWhole(contract: CompiledContract, { manifest, replay, onStep }: TableRestoreParts): Promise<void> {
  const { incarnationOf } = await committedWhenBackedUp(replay, manifest, contract);
  await replayArchive(replay, {
    ...{ contracts: [contract], from: new Map(), incarnationOf },
    onProgress: (messages) =>
      onStep(`${contract.table.keyspace}.${contract.table.name}: ${messages} messages replayed`),
  });
}

/** The audit keyspace's tables are there, empty but for what a notary stored since: rows of the same place are the same. */
async function importAudit(manifest: Manifest, { home, fetch, takeIn, onStep }: TableRestoreParts): Promise<void> {
  for (const table of tablesOf(manifest).filter(({ keyspace }) => keyspace === AUDIT_KEYSPACE)) {
    onStep(`${table.keyspace}.${table.table}: importing`);
    const files = manifest.files.filter((file) => file.keyspace === table.keyspace && file.table === table.table);
    await fetchFiles(files, (node) => stagedTable(home, node, table), fetch);
    await takeIn(table, table);
  }
}

function reasonOf(manifest: Manifest, { archivedUntil, seconds }: LossWindow): string {
  const until = archivedUntil === undefined ? '' : `, the log archive to ${new Date(archivedUntil).toISOString()}`;
  const lost = seconds === undefined ? '' : `: at most ${seconds.toFixed(1)} s are lost`;
  return `the servers' data was lost; backup ${manifest.id} reaches to ${manifest.snapshotAt}${until}${lost}`;
}
