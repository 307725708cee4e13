import type { Client } from 'cassandra-driver';
import { WardlineError } from '../../../core/errors/errors.ts';
import type { Home } from '../../../core/home.ts';
import type { CompiledContract } from '../../../governance/contract/compiled.ts';
import { asCassandraError } from '../../../security/connect/cassandra/cassandra.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { committedWhenBackedUp } from '../committed.ts';
import { fetchFiles, type FetchParts } from './fetch-files.ts';
import { copyRows } from './copy-rows.ts';
import { clearStaging, linkStaged, stagedTable } from './import-table.ts';
import { beginRestore, endRestore } from '../unfinished.ts';
import { replayArchive, type Replay, type ReplayParts, type ReplaySummary } from '../replay.ts';
import { giveGrants } from './grants.ts';
import { ensureTable, lostColumns, makeTableIn, type BackedUpTable } from './schema.ts';
import { compareTables, dropScratch, figuresOf, makeScratch, type Comparison } from './scratch.ts';
import { countRows, describeTable, type Scanner, type TableName } from './scan-table.ts';

/** Has every node of the cluster take in the files of the backup's table `source` that are staged for `target`. */
export type TableImporter = (source: TableName, target: TableName) => Promise<void>;

/** What restoring a table needs, whichever table it is. */
export interface TableRestoreParts {
  readonly home: Home;
  readonly manifest: Manifest;
  readonly fetch: FetchParts;
  readonly takeIn: TableImporter;
  readonly replay: ReplayParts;
  /** Makes tables that are missing, and so owns them. */
  readonly operator: Pick<Client, 'execute'>;
  /** Empties tables, makes and drops what a comparison needs, and reads what is compared. */
  readonly superUser: Scanner & Pick<Client, 'execute'>;
  /** Gives principals their rights on a contract's table that was made again. */
  readonly provision: (contract: CompiledContract) => Promise<unknown>;
  /** Resolves when no backup of the tables is under way: one that saw half of a table would be the latest. */
  readonly noBackupUnderWay: () => Promise<void>;
  readonly onStep: (step: string) => void;
}

export interface TableRestoreOptions {
  /** Empties the table first, so that nothing that was done to it since hides a row. */
  readonly replace: boolean;
  /** Restores into a keyspace of this name, beside what stands. */
  readonly asKeyspace?: string | undefined;
  /** Replays what the broker had appended by then, in milliseconds since the epoch; without it, all that is archived. */
  readonly to?: number | undefined;
  /** Restores the rows of this data subject alone; its table MUST stand. */
  readonly subject?: string | undefined;
}

export interface RestoredTable extends Comparison {
  readonly keyspace: string;
  readonly table: string;
  /** Whether it was not there, or was emptied: then it holds what the backup and the archive hold, and nothing else. */
  readonly fresh: boolean;
  readonly replayed: ReplaySummary | undefined;
}

/** A table that serves what was restored, all of it. */
export interface ServingTable {
  /** Reads it back, which for a large table takes longer than the restore itself. */
  proved(): Promise<RestoredTable>;
}

/**
 * Restores one table while Cassandra serves: the backup's SSTables, then the log archive from the offsets that the backup
 * holds. Nothing that stands is shadowed or destroyed unless `replace` says so: imported rows are older than what was
 * written since, and lose against it. Interrupted anywhere, it can be called again. Throws CONTRACT_CONFLICT where the
 * table has lost columns since that the backup has.
 */
export async function restoreTable(
  parts: TableRestoreParts,
  table: BackedUpTable,
  contracts: readonly CompiledContract[],
  options: TableRestoreOptions,
): Promise<ServingTable> {
  const { manifest, onStep } = parts;
  const target = { keyspace: options.asKeyspace ?? table.keyspace, table: table.table };
  onStep(`${titleOf(target)}: fetching`);
  const files = manifest.files.filter((file) => file.keyspace === table.keyspace && file.table === table.table);
  await fetchFiles(files, (node) => stagedTable(parts.home, node, target), parts.fetch);
  if (options.subject !== undefined)
    return provedBefore(await restoreSubject(parts, table, contracts, options, options.subject));
  if (await makeReady(parts, table, contracts, options)) return restoreFresh(parts, table, target, contracts, options);
  return provedBefore(await restoreOver(parts, table, target, contracts, options));
}

/** Into a table that holds nothing: what stands in the end is what backup and archive hold. */
async function restoreFresh(
  parts: TableRestoreParts,
  table: BackedUpTable,
  target: TableName,
  contracts: readonly CompiledContract[],
  options: TableRestoreOptions,
): Promise<ServingTable> {
  const { superUser, onStep } = parts;
  const title = titleOf(target);
  onStep(`${title}: importing`);
  await parts.takeIn(table, target);
  let rows: number | undefined;
  const replayed = await replay(parts, contracts, options, {
    onProgress: (messages) => onStep(`${title}: ${messages} messages replayed`),
    // Afterwards nobody could tell what the backup held. Counting them all is much less work than reading them all.
    beforeFirst: async () => void (rows = await countRows(superUser, target)),
  });
  if (options.asKeyspace === undefined) endRestore(parts.home, [title]);
  return {
    async proved() {
      onStep(`${title}: reading it back`);
      const live = await figuresOf(superUser, target);
      const backedUp = rows === undefined ? live : { rows, digest: null };
      return { ...target, fresh: true, backedUp, live, hidden: 0, hiddenKeys: [], replayed };
    },
  };
}

/** Into a table that serves: compared with the backup's rows, which are taken in a second time where nothing hides them. */
async function restoreOver(
  parts: TableRestoreParts,
  table: BackedUpTable,
  target: TableName,
  contracts: readonly CompiledContract[],
  options: TableRestoreOptions,
): Promise<RestoredTable> {
  const { superUser, onStep } = parts;
  const title = titleOf(target);
  try {
    const compared = await importForComparison(parts, table);
    onStep(`${title}: importing`);
    await parts.takeIn(table, target);
    const onProgress = (messages: number): void => onStep(`${title}: ${messages} messages replayed`);
    const replayed = await replay(parts, contracts, options, { onProgress });
    onStep(`${title}: comparing`);
    const comparison = await compareTables(superUser, compared, target);
    if (options.asKeyspace === undefined) endRestore(parts.home, [title]);
    return { ...target, fresh: false, ...comparison, replayed };
  } finally {
    await dropScratch(superUser, table.keyspace);
  }
}

function titleOf({ keyspace, table }: TableName): string {
  return `${keyspace}.${table}`;
}

function provedBefore(restored: RestoredTable): ServingTable {
  return { proved: () => Promise.resolve(restored) };
}

/** The same for the rows of one subject: they are copied out of the comparison, with their write timestamps and lives. */
async function restoreSubject(
  parts: TableRestoreParts,
  table: BackedUpTable,
  contracts: readonly CompiledContract[],
  options: TableRestoreOptions,
  subject: string,
): Promise<RestoredTable> {
  const { superUser, onStep } = parts;
  const target = { keyspace: table.keyspace, table: table.table };
  const only = { column: subjectColumn(contracts, target), value: subject };
  try {
    const compared = await importForComparison(parts, table);
    onStep(`${target.keyspace}.${target.table}: copying the rows of one subject`);
    await copyRows(superUser, compared, target, only);
    const { backedUp, hidden, hiddenKeys } = await compareTables(superUser, compared, target, only);
    const onProgress = (messages: number): void => onStep(`${messages} messages read`);
    const replayed = await replay(parts, contracts, options, { onProgress });
    const live = await figuresOf(superUser, target, only);
    return { ...target, fresh: false, backedUp, live, hidden, hiddenKeys, replayed };
  } finally {
    await dropScratch(superUser, table.keyspace);
    await clearStaging(parts.home);
  }
}

/** Throws USAGE where no contract says whom the rows of the table are about. */
function subjectColumn(contracts: readonly CompiledContract[], { keyspace, table }: TableName): string {
  const property = contracts[0]?.properties.find(({ dataSubject }) => dataSubject);
  if (property?.type === 'text') return property.column;
  throw new WardlineError('USAGE', `no contract says whom the rows of ${keyspace}.${table} are about`, {
    hint: 'name a table of a contract with a dataSubject that is a text',
  });
}

/** Makes the table where it is missing, or empties it. Returns whether it is new or empty now. */
async function makeReady(
  { home, manifest, operator, superUser, provision, noBackupUnderWay, onStep }: TableRestoreParts,
  table: BackedUpTable,
  contracts: readonly CompiledContract[],
  { asKeyspace, replace }: TableRestoreOptions,
): Promise<boolean> {
  if (asKeyspace !== undefined) {
    if ((await describeTable(superUser, { keyspace: asKeyspace, table: table.table })) !== undefined)
      throw new WardlineError('USAGE', `${asKeyspace}.${table.table} is there already`, {
        hint: 'name a keyspace that is not there yet',
      });
    await makeTableIn(superUser, asKeyspace, table);
    return true;
  }
  // A backup looks for what has begun when its own mark stands: of the two, one sees the other.
  const begin = async (): Promise<void> => {
    const takeBack = beginRestore(home, manifest.id, [titleOf(table)]);
    await noBackupUnderWay().catch((error: unknown) => {
      takeBack();
      throw error;
    });
  };
  if ((await describeTable(superUser, table)) === undefined) await begin();
  const made = await ensureTable(operator, table);
  const [newest] = contracts;
  // Cassandra took every right on the table away when it was dropped.
  if (made) await giveGrants(superUser, manifest, table);
  if (made && newest !== undefined) await provision(newest);
  if (made || !replace) return made;
  // What could not be imported must not be found out when the table is empty.
  await requireSameColumns(superUser, table, await makeScratch(superUser, table));
  await dropScratch(superUser, table.keyspace);
  await begin();
  onStep(`${titleOf(table)}: emptying`);
  await superUser.execute(`TRUNCATE "${table.keyspace}"."${table.table}"`).catch((error: unknown) => {
    throw asCassandraError(error);
  });
  return true;
}

async function importForComparison(parts: TableRestoreParts, table: BackedUpTable): Promise<TableName> {
  const { home, superUser, takeIn, onStep } = parts;
  onStep(`${table.keyspace}.${table.table}: importing for comparison`);
  const scratch = await makeScratch(superUser, table);
  await requireSameColumns(superUser, table, scratch);
  await linkStaged(home, table, scratch);
  await takeIn(table, scratch);
  return scratch;
}

async function requireSameColumns(
  client: Pick<Client, 'execute'>,
  table: BackedUpTable,
  scratch: TableName,
): Promise<void> {
  const lost = await lostColumns(client, table, scratch);
  if (lost.length === 0) return;
  await dropScratch(client, table.keyspace);
  throw new WardlineError(
    'CONTRACT_CONFLICT',
    `${table.keyspace}.${table.table} no longer has what the backup holds: ${lost.join(', ')}`,
    { hint: 'restore it beside what stands: wardline restore … --as-keyspace NAME' },
  );
}

/** Replays the archive into the table of a contract, from where its worker had come when the backup began. */
async function replay(
  { manifest, replay: parts }: TableRestoreParts,
  contracts: readonly CompiledContract[],
  { asKeyspace, to, subject }: TableRestoreOptions,
  told: Pick<Replay, 'onProgress' | 'beforeFirst'>,
): Promise<ReplaySummary | undefined> {
  const [newest] = contracts;
  if (newest === undefined) return undefined;
  const committed = await committedWhenBackedUp(parts, manifest, newest);
  return replayArchive(parts, {
    contracts,
    keyspace: asKeyspace,
    from: committed.from,
    incarnationOf: committed.incarnationOf,
    to,
    subject,
    ...told,
  });
}
