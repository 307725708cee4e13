import type { types } from 'cassandra-driver';
import { createSemaphore } from '../../core/semaphore.ts';
import { AUDIT_TABLES } from '../../security/audit-keyspace/tables.ts';
import { asCassandraError } from '../../security/connect/cassandra.ts';
import type { CassandraWork } from '../../security/connect/renewing-cassandra.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import { blockOf, blockStart } from './blocks.ts';
import { columnsOf, type EventColumns } from './columns.ts';

/** An event where it stands. */
export interface StoredEvent {
  readonly sequence: number;
  /** The exact message of the topic; undefined where a row holds none. */
  readonly message: Buffer | undefined;
  readonly columns: EventColumns;
}

export const EVENTS_TABLE = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.events}"`;
export const EVENT_COLUMNS = 'sequence, message, actor, action, object_type, object_id, outcome, trace_id, time';

const INSERT = `INSERT INTO ${EVENTS_TABLE} (epoch, block, ${EVENT_COLUMNS}) VALUES (${Array(11).fill('?').join(', ')})`;
/** Below the size at which Cassandra warns of a batch. */
const BATCH_BYTES = 56 * 1024;
const BATCH_ROWS = 64;
const BATCHES_IN_FLIGHT = 24;
const PAGE_ROWS = 1000;

/** Writes events at their places. */
export interface EventWriter {
  /**
   * Stores messages that follow one another from sequence `first` on, and resolves when all are acknowledged. Writing
   * the same messages at the same places again changes nothing. Rejects with Cassandra's error, as a WardlineError,
   * once nothing is under way any more.
   */
  write(first: number, messages: readonly Buffer[]): Promise<void>;
}

/** A writer for one epoch. Its batches under way are bounded. */
export function createEventWriter(client: Pick<CassandraWork, 'batch'>, epoch: number): EventWriter {
  const places = createSemaphore(BATCHES_IN_FLIGHT);
  const send = async (statements: readonly { query: string; params: unknown[] }[]): Promise<void> => {
    const release = await places.acquire();
    try {
      await client.batch([...statements], { prepare: true, logged: false, isIdempotent: true });
    } catch (error) {
      throw asCassandraError(error);
    } finally {
      release();
    }
  };
  return {
    async write(first, messages) {
      const writes = batchesOf(first, messages).map(({ from, to }) =>
        send(messages.slice(from - first, to - first).map((message, at) => insertOf(epoch, from + at, message))),
      );
      const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}

function insertOf(epoch: number, sequence: number, message: Buffer): { query: string; params: unknown[] } {
  const { actor, action, objectType, objectId, outcome, traceId, time } = columnsOf(message);
  const at = time === null ? null : int64(time);
  const place = [epoch, blockOf(sequence), int64(sequence)];
  return { query: INSERT, params: [...place, message, actor, action, objectType, objectId, outcome, traceId, at] };
}

/** Ranges of sequences that may share a batch: one block, and within the limits. */
function batchesOf(first: number, messages: readonly Buffer[]): { readonly from: number; readonly to: number }[] {
  const batches: { from: number; to: number }[] = [];
  let bytes = 0;
  let last = { from: first, to: first };
  messages.forEach((message, at) => {
    const sequence = first + at;
    const full = last.to - last.from >= BATCH_ROWS || bytes + message.length > BATCH_BYTES;
    if (batches.length === 0 || full || blockOf(sequence) !== blockOf(last.from)) {
      last = { from: sequence, to: sequence };
      batches.push(last);
      bytes = 0;
    }
    last.to = sequence + 1;
    bytes += message.length;
  });
  return batches;
}

/** Reads the events of a block from sequence `from` on, up to but without `to`, page by page, in order. */
export async function* readEvents(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
  { from, to }: { readonly from?: number; readonly to?: number } = {},
): AsyncGenerator<readonly StoredEvent[], void, void> {
  const query = `SELECT ${EVENT_COLUMNS} FROM ${EVENTS_TABLE} WHERE epoch = ? AND block = ? AND sequence >= ? AND sequence < ?`;
  const params = [epoch, block, int64(from ?? Number.MIN_SAFE_INTEGER), int64(to ?? Number.MAX_SAFE_INTEGER)];
  let pageState: string | undefined;
  do {
    const page: types.ResultSet = await execute(client, query, params, pageState);
    pageState = page.pageState;
    yield page.rows.map(storedEvent);
  } while (typeof pageState === 'string');
}

/** The message at one place, or undefined where there is none. */
export async function readEvent(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  sequence: number,
): Promise<StoredEvent | undefined> {
  const pages = readEvents(client, epoch, blockOf(sequence), { from: sequence, to: sequence + 1 });
  for await (const [event] of pages) return event;
  return undefined;
}

/** How many blocks of an epoch hold events, from 0 on; a block whose events are all gone ends the count. */
export async function blockHolds(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
): Promise<boolean> {
  const query = `SELECT sequence FROM ${EVENTS_TABLE} WHERE epoch = ? AND block = ? LIMIT 1`;
  return (await execute(client, query, [epoch, block])).rows.length > 0;
}

/** The last sequence that a block holds, or undefined where it holds none. */
export async function lastInBlock(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
): Promise<number | undefined> {
  const query = `SELECT sequence FROM ${EVENTS_TABLE} WHERE epoch = ? AND block = ? AND sequence >= ? ORDER BY sequence DESC LIMIT 1`;
  const [row] = (await execute(client, query, [epoch, block, int64(blockStart(block))])).rows;
  return row === undefined ? undefined : Number(row['sequence']);
}

/** A row of the events table, as the other columns of EVENT_COLUMNS have it. */
export function storedEvent(row: types.Row): StoredEvent {
  const time = row['time'] as Date | null;
  return {
    sequence: Number(row['sequence']),
    message: (row['message'] as Buffer | null) ?? undefined,
    columns: {
      actor: row['actor'] as string | null,
      action: row['action'] as string | null,
      objectType: row['object_type'] as string | null,
      objectId: row['object_id'] as string | null,
      outcome: row['outcome'] as string | null,
      traceId: row['trace_id'] as string | null,
      time: time === null ? null : time.getTime(),
    },
  };
}

async function execute(
  client: Pick<CassandraWork, 'execute'>,
  query: string,
  params: unknown[],
  pageState?: string,
): Promise<types.ResultSet> {
  try {
    const page = pageState === undefined ? {} : { pageState };
    return await client.execute(query, params, { prepare: true, fetchSize: PAGE_ROWS, isIdempotent: true, ...page });
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** A bigint or timestamp as the driver sends it. */
export function int64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
