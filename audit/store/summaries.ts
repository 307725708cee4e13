import type { types } from 'cassandra-driver';
import { AUDIT_TABLES, EVENTS_PER_SUMMARY } from '../../security/audit-keyspace/tables.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import { blockOf } from './blocks.ts';
import { int64 } from './events.ts';
import { MARKED, type Marked, type Summary } from './summary.ts';

/** A summary as it is kept, with the marks that were asked for: believed only as to where to look. */
export interface StoredSummary extends Omit<Summary, 'events' | 'marks'> {
  readonly marks: ReadonlyMap<Marked, Buffer>;
}

const TABLE = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.summaries}"`;

const COLUMNS: Readonly<Record<Marked, string>> = {
  actor: 'actor',
  action: 'action',
  objectType: 'object_type',
  objectId: 'object_id',
  outcome: 'outcome',
  traceId: 'trace_id',
};

/**
 * The number of events is the time of the write: of two summaries that begin at one event the fuller one stays, whoever
 * wrote it last, and by whatever clock.
 */
const INSERT = `INSERT INTO ${TABLE} (epoch, block, first, earliest, latest, ${Object.values(COLUMNS).join(', ')}) VALUES (${Array(
  5 + MARKED.length,
)
  .fill('?')
  .join(', ')}) USING TIMESTAMP ?`;

/** Keeps a summary in place of a less full one. Keeping the same one again, or a less full one, changes nothing. */
export async function writeSummary(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  { first, events, marks, earliest, latest }: Summary,
): Promise<void> {
  const place = [epoch, blockOf(first), int64(first)];
  const params = [...place, timeOf(earliest), timeOf(latest), ...MARKED.map((name) => marks[name]), int64(events)];
  try {
    await client.execute(INSERT, params, { prepare: true, isIdempotent: true });
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** The summaries of a block that tell of events from sequence `from` up to but without `to`, in order, with these marks. */
export async function readSummaries(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  { from, to }: { readonly from: number; readonly to: number },
  names: readonly Marked[] = MARKED,
): Promise<readonly StoredSummary[]> {
  const columns = ['first', 'earliest', 'latest', ...names.map((name) => COLUMNS[name])].join(', ');
  const query = `SELECT ${columns} FROM ${TABLE} WHERE epoch = ? AND block = ? AND first >= ? AND first < ?`;
  const start = from - (from % EVENTS_PER_SUMMARY);
  const params = [epoch, blockOf(from), int64(start), int64(to)];
  try {
    const { rows } = await client.execute(query, params, { prepare: true, isIdempotent: true, fetchSize: 0 });
    return rows.map((row) => ({
      first: (row['first'] as types.Long).toNumber(),
      earliest: (row['earliest'] as Date | null)?.getTime() ?? null,
      latest: (row['latest'] as Date | null)?.getTime() ?? null,
      marks: new Map(names.map((name) => [name, (row[COLUMNS[name]] as Buffer | null) ?? Buffer.alloc(0)])),
    }));
  } catch (error) {
    throw asCassandraError(error);
  }
}

function timeOf(time: number | null): Buffer | null {
  return time === null ? null : int64(time);
}
