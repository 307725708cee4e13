import type { VerifyReport } from '../../audit/verify/verify.ts';
import { kafkaView } from '../../backup/archive/kafka-view.ts';
import type { Manifest } from '../../backup/manifest/manifest.ts';
import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { readIdentities } from '../../backup/recipients/recovery.ts';
import { waitUntilArchived } from '../../backup/restore/archive-state.ts';
import { backupFor } from '../../backup/restore/choose-backup.ts';
import {
  restoreTable,
  type RestoredTable,
  type ServingTable,
  type TableRestoreParts,
} from '../../backup/restore/table/restore-table.ts';
import { tablesOf, type BackedUpTable } from '../../backup/restore/table/schema.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { parseContract } from '../../governance/contract/index.ts';
import { applyProvision } from '../../governance/provision/index.ts';
import { accessOf } from '../../security/connect/access.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { openKeyStore } from '../../security/keyring/key-store/key-store.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import { clearLoss, readLoss } from '../../stack/index.ts';
import { withAuditSources } from '../audit/sources.ts';
import { verifyAuditLog } from '../audit/verify.ts';
import { createCommand } from '../backup/create.ts';
import { withShelf } from '../backup/shelf.ts';
import type { CommandContext } from '../context.ts';
import { contractsInForce } from '../in-force.ts';
import { timeOf } from '../terminal/options.ts';
import { aloneRestoring, noBackupUnderWay } from './alone.ts';
import { declareLoss, serversLost } from './declared-loss.ts';
import { restoreLostServers, type RestoredServers } from './lost.ts';
import { importerFor } from './nodes.ts';
import { requireNoWorker } from './workers.ts';

export interface RestoreFlags {
  readonly table?: string;
  readonly to?: string;
  readonly replace?: boolean;
  readonly asKeyspace?: string;
  readonly subject?: string;
  readonly intoHome?: string;
  readonly lost?: string;
  readonly identity?: string;
  readonly dryRun?: boolean;
}

export interface RestoreReport {
  readonly manifest: Manifest;
  readonly dryRun: boolean;
  readonly to: number | undefined;
  /** What was, or would be, restored. */
  readonly planned: readonly string[];
  readonly tables: readonly RestoredTable[];
  /** What beside the tables came back of servers whose data was lost; undefined where none was. */
  readonly servers: RestoredServers | undefined;
  /** The backup that was made before anything was emptied. */
  readonly safetyBackup: string | undefined;
  readonly audit: VerifyReport | undefined;
  /** When rows could be read again, all that were restored, by `performance.now()`. */
  readonly servingAt: number | undefined;
}

const FILES_AT_ONCE = 8;
/** The archiver is seconds behind. Where it does not run, waiting longer would not help. */
const ARCHIVE_PATIENCE = 15_000;
/** A table of the size that a scan of it for one range takes a while; longer than the servers' own limits. */
const READ_TIMEOUT = 60_000;

/**
 * Restores into a home's servers, which run, and says what stands afterwards. `source` is whose backups they are: the
 * home's own unless told otherwise.
 */
export function restoreInPlace(
  context: CommandContext,
  backup: string,
  flags: RestoreFlags,
  source: CommandContext = context,
): Promise<RestoreReport> {
  const work = (): Promise<RestoreReport> => restoreAlone(context, backup, flags, source);
  return flags.dryRun === true ? work() : aloneRestoring(context.home(), work);
}

async function restoreAlone(
  context: CommandContext,
  backup: string,
  flags: RestoreFlags,
  source: CommandContext,
): Promise<RestoreReport> {
  const home = context.home();
  const to = flags.to === undefined ? undefined : timeOf(flags.to, systemClock.now());
  const identities = readIdentities(source.home(), flags.identity);
  const lostServers = flags.lost === undefined ? [] : serversLost(context, flags.lost);
  if (lostServers.length > 0 && (!isWhole(flags) || flags.replace === true))
    throw new WardlineError('USAGE', '--lost goes with a restore of everything, into servers that are empty', {
      hint: 'leave out --table, --subject, --as-keyspace and --replace',
    });
  return withShelf(source, async (shelf) => {
    const manifest = await backupFor(shelf, backup, to);
    const contracts = contractsOf(context, manifest);
    const tables = restorable(manifest, flags.table).filter(
      (table) => flags.subject === undefined || flags.table !== undefined || isAboutSubjects(table, contracts),
    );
    const planned = tables.map(({ keyspace, table }) => `${flags.asKeyspace ?? keyspace}.${table}`);
    const report = { manifest, to, planned, dryRun: flags.dryRun === true };
    const none = { tables: [], servers: undefined, safetyBackup: undefined, audit: undefined, servingAt: undefined };
    if (report.dryRun) return { ...report, ...none };
    await confirmed(context, flags, planned);
    const contractsByTable = tables.map((table) => contractsFor(table, contracts));
    if (flags.asKeyspace === undefined && flags.subject === undefined && (flags.replace === true || to !== undefined))
      for (const [newest] of contractsByTable) if (newest !== undefined) await requireNoWorker(context, newest);
    const audit = context.audit('operator');
    const object = { type: 'backup', id: manifest.id };
    const clients = openClients(context);
    try {
      if (lostServers.length > 0)
        await declareLoss({ context, servers: lostServers, contracts, superUser: clients.superUser });
      const loss = isWhole(flags) ? readLoss(home) : undefined;
      if (loss !== undefined)
        for (const [newest] of contractsByTable) if (newest !== undefined) await requireNoWorker(context, newest);
      const { replace = false, to: until = null, subject = null } = flags;
      const details = { tables: planned, replace, to: until, subject };
      await audit.append({ action: 'restore.begin', object, outcome: 'success', details });
      await recordSuperUser(context);
      const noBackup = (): Promise<void> => (source === context ? noBackupUnderWay(context, shelf) : Promise.resolve());
      await noBackup();
      const safety = flags.replace === true ? await safetyBackup(context) : undefined;
      const workerKeys = await openKeyStore(accessOf(context.connection(), 'worker'));
      const parts: TableRestoreParts = {
        ...{ home, manifest, operator: clients.operator, superUser: clients.superUser },
        fetch: { store: shelf.store, install: home.install, identities, parallel: FILES_AT_ONCE },
        takeIn: await importerFor(context, shelf, manifest, clients.operator),
        replay: {
          ...{ store: shelf.store, install: home.install, identities, trusted: shelf.trusted },
          // Nobody but the super user has rights in a keyspace that is made for this restore.
          cassandra: flags.asKeyspace === undefined ? clients.worker : clients.superUser,
          integrityKey: (contract) => workerKeys.integrityKey(contract),
          ...{ settings: context.settings(), clock: systemClock },
        },
        provision: (contract) => applyProvision(context.connection(), contract, context.settings()),
        noBackupUnderWay: noBackup,
        onStep: (step) => context.output.progress(step),
      };
      // Where Kafka was lost, the archive is all there is.
      if (to === undefined && loss?.kafka === undefined)
        for (const [newest] of contractsByTable) if (newest !== undefined) await archivedSoFar(context, shelf, newest);
      const serving: ServingTable[] = [];
      for (const [index, table] of tables.entries())
        serving.push(
          await restoreTable(parts, table, contractsByTable[index] ?? [], {
            ...{ replace: flags.replace === true, asKeyspace: flags.asKeyspace, subject: flags.subject, to },
          }),
        );
      let servingAt = performance.now();
      const onReadable = (): void => void (servingAt = performance.now());
      const lost = { context, source, shelf, manifest, identities, contracts: newestOf(contracts), onReadable };
      const servers = loss === undefined ? undefined : await restoreLostServers({ ...lost, loss }, parts);
      if (servers !== undefined) clearLoss(home);
      const restored: RestoredTable[] = [];
      for (const table of serving) restored.push(await table.proved());
      const rows = restored.reduce((sum, { live }) => sum + live.rows, 0);
      const hidden = restored.reduce((sum, table) => sum + table.hidden, 0);
      const counts = { tables: restored.length, rows, hidden };
      await audit.append({ action: 'restore.end', object, outcome: 'success', counts });
      const verified = await withAuditSources(context, (sources) => verifyAuditLog(context, sources));
      return { ...report, tables: restored, servers, safetyBackup: safety, audit: verified, servingAt };
    } finally {
      await Promise.allSettled([audit.close(), ...Object.values(clients).map((client) => client.shutdown())]);
    }
  });
}

function isWhole({ table, asKeyspace, subject }: RestoreFlags): boolean {
  return table === undefined && asKeyspace === undefined && subject === undefined;
}

/** The audit keyspace is only ever added to; while it stands, a restore has nothing to give it. */
function restorable(manifest: Manifest, named: string | undefined): readonly BackedUpTable[] {
  const tables = tablesOf(manifest, named);
  return named === undefined ? tables.filter(({ keyspace }) => keyspace !== AUDIT_KEYSPACE) : tables;
}

function isAboutSubjects(table: BackedUpTable, contracts: readonly CompiledContract[]): boolean {
  return contractsFor(table, contracts)[0]?.dataSubject !== undefined;
}

/** Every version of a contract that the backup or this home knows; messages say which they are of. The newest comes first. */
function contractsOf(context: CommandContext, manifest: Manifest): readonly CompiledContract[] {
  const documents = [...contractsInForce(context.home()), ...manifest.contracts].filter(
    ({ document }) => document !== '',
  );
  const compiled = documents.map(({ id, document }) => parseContract(document, id));
  return [...new Map(compiled.map((contract) => [contract.hash, contract])).values()];
}

function contractsFor(table: BackedUpTable, contracts: readonly CompiledContract[]): readonly CompiledContract[] {
  return contracts.filter(({ table: own }) => own.keyspace === table.keyspace && own.name === table.table);
}

/** What Kafka holds and the archive does not yet is waited for; where it does not come, the restore goes without, and says so. */
async function archivedSoFar(
  context: CommandContext,
  shelf: ManifestShelf,
  { topic }: CompiledContract,
): Promise<void> {
  const kafka = kafkaView(kafkaClient(context.connection(), 'operator'));
  const bounds = await kafka.bounds(topic.name).finally(() => kafka.close());
  const high = new Map([...bounds].map(([partition, { high: offset }]) => [partition, offset]));
  if (await waitUntilArchived(shelf, topic.name, high, ARCHIVE_PATIENCE, systemClock)) return;
  context.output.note(`the log archive is behind ${topic.name}: what Kafka has beyond it is not restored`);
}

function newestOf(contracts: readonly CompiledContract[]): readonly CompiledContract[] {
  return contracts.filter(({ id }, index) => contracts.findIndex((other) => other.id === id) === index);
}

async function confirmed(context: CommandContext, flags: RestoreFlags, planned: readonly string[]): Promise<void> {
  if (flags.subject !== undefined && (flags.replace === true || flags.asKeyspace !== undefined))
    throw new WardlineError('USAGE', '--subject brings the rows of one subject back into tables that stand', {
      hint: 'leave out --replace and --as-keyspace',
    });
  if (flags.replace === true) await context.confirm(`This empties ${planned.join(', ')} before it restores them.`);
  else if (
    flags.to !== undefined &&
    flags.asKeyspace === undefined &&
    flags.subject === undefined &&
    flags.intoHome === undefined
  )
    throw new WardlineError('USAGE', 'rows that are newer than --to would stay where they are', {
      hint: 'add --replace to end with the rows of that time alone, or --as-keyspace NAME to look at them beside what stands',
    });
}

async function recordSuperUser(context: CommandContext): Promise<void> {
  const audit = context.audit('break-glass');
  try {
    await audit.append({
      action: 'break-glass.use',
      object: { type: 'home', id: context.home().install },
      outcome: 'success',
      details: { reason: 'restore' },
    });
  } finally {
    await audit.close();
  }
}

async function safetyBackup(context: CommandContext): Promise<string> {
  context.output.note('first a safety backup of what stands');
  const { id } = await createCommand(context, { beforeRestore: true });
  context.output.note(`safety backup ${id}`);
  return id;
}

function openClients(context: CommandContext) {
  const connection = context.connection();
  const options = { readTimeout: READ_TIMEOUT };
  return {
    operator: cassandraClient(connection, 'operator', options),
    superUser: cassandraClient(connection, 'break-glass', options),
    worker: cassandraClient(connection, 'worker', options),
  };
}
