import { z } from 'zod';
import { PROVENANCE_COLUMNS, type CompiledContract, type TablePlan } from './compiled.ts';

/** Rows of one compaction window: a retention is cut into about this many windows, so that expired ones fall away whole. */
const WINDOWS_PER_RETENTION = 30;
const SECONDS_PER_DAY = 86_400;

export interface Replication {
  /** Replicas in each data center, by its name; a single node is one data center with one. */
  readonly dataCenters: Readonly<Record<string, number>>;
}

/** A statement and what it makes, so that what exists already can be left out. */
export interface DdlStatement {
  readonly object: { readonly type: 'keyspace' | 'table'; readonly name: string };
  readonly cql: string;
}

/** `CREATE KEYSPACE IF NOT EXISTS`, replicated by data center: the one strategy that later data centers can join. */
export function keyspaceDdl(keyspace: string, { dataCenters }: Replication): DdlStatement {
  const replicas = Object.entries(dataCenters).map(([name, count]) => `${quoted(name)}: ${count}`);
  return {
    object: { type: 'keyspace', name: keyspace },
    cql:
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} ` +
      `WITH replication = {'class': 'NetworkTopologyStrategy', ${replicas.join(', ')}} AND durable_writes = true`,
  };
}

/**
 * `CREATE TABLE IF NOT EXISTS` for a contract: its columns (a sealed one as text), then the provenance columns.
 * - `default_time_to_live` is the retention; the worker binds a TTL of its own, this one catches what others write.
 * - Compaction: time windows where the retention lets whole files expire and the newest key comes first in its partition;
 *   otherwise unified compaction, which Cassandra 5 recommends where rows have no natural end.
 * Names need no quotes: the contract's rules admit only names that CQL takes bare.
 */
export function tableDdl(
  contract: Pick<CompiledContract, 'table' | 'retentionSeconds' | 'id' | 'version'>,
): DdlStatement {
  const { table, retentionSeconds } = contract;
  const columns = [
    ...table.columns.map(({ name, storedType }) => ({ name, type: storedType })),
    ...PROVENANCE_COLUMNS,
  ].map(({ name, type }) => `  ${name} ${type},`);
  const options = [
    ...clusteringOrder(table),
    `default_time_to_live = ${retentionSeconds ?? 0}`,
    `compaction = ${compaction(retentionSeconds)}`,
    `compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}`,
    `comment = ${quoted(tableCommentText(contract))}`,
  ];
  return {
    object: { type: 'table', name: `${table.keyspace}.${table.name}` },
    cql: [
      `CREATE TABLE IF NOT EXISTS ${table.keyspace}.${table.name} (`,
      ...columns,
      `  PRIMARY KEY (${[`(${table.partitionKey.join(', ')})`, ...table.clusteringKey].join(', ')})`,
      `) WITH ${options.join('\n  AND ')}`,
    ].join('\n'),
  };
}

/** What a table says of itself, so that a later contract sees what a type alone does not tell: which text is sealed. */
export interface TableComment {
  readonly contract: string;
  readonly version: string;
  /** Columns that hold sealed fields. */
  readonly sealed: readonly string[];
}

/** The comment of a contract's table, as JSON. */
export function tableCommentText(contract: Pick<CompiledContract, 'id' | 'version' | 'table'>): string {
  const sealed = contract.table.columns.filter((column) => column.sealedAs !== undefined).map((column) => column.name);
  return JSON.stringify({ contract: contract.id, version: contract.version, sealed } satisfies TableComment);
}

const commentShape = z.object({ contract: z.string(), version: z.string(), sealed: z.array(z.string()) });

/** Reads `tableCommentText`; undefined for a table that Wardline did not make. */
export function parseTableComment(comment: string): TableComment | undefined {
  try {
    return commentShape.safeParse(JSON.parse(comment)).data;
  } catch {
    // Others' comments are free text.
    return undefined;
  }
}

/** A text as a CQL literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function clusteringOrder(table: TablePlan): string[] {
  if (table.clusteringKey.length === 0) return [];
  return [`CLUSTERING ORDER BY (${table.clusteringKey.map((column) => `${column} ASC`).join(', ')})`];
}

function compaction(retentionSeconds: number | undefined): string {
  if (retentionSeconds === undefined) return "{'class': 'UnifiedCompactionStrategy'}";
  const days = Math.max(1, Math.round(retentionSeconds / SECONDS_PER_DAY / WINDOWS_PER_RETENTION));
  return `{'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': ${days}}`;
}
