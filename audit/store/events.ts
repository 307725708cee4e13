import type { types } from 'cassandra-driver';
import { createSemaphore } from '../../core/async/semaphore.ts';
import { AUDIT_TABLES } from '../../security/audit-keyspace/tables.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { AUDIT_KEYSPACE } from '../../security/principals/names.ts';
import { blockOf, blockStart } from './blocks.ts';

/** An event where it stands. */
export interface StoredEvent {
  readonly sequence: number;
  /** The exact message of the topic; undefined where a row holds none. */
  readonly message: Buffer | undefined;
}

export const EVENTS_TABLE = `"${AUDIT_KEYSPACE}"."${AUDIT_TABLES.events}"`;

const INSERT = `INSERT INTO ${EVENTS_TABLE} (epoch, block, sequence, message) VALUES (?, ?, ?, ?)`;
const SELECT = `SELECT sequence, message FROM ${EVENTS_TABLE} WHERE epoch = ? AND block = ?`;
/** A batch is one partition's, and so one write: the larger it is, the less each event costs, up to about here. */
const BATCH_BYTES = 200 * 1024;
const BATCH_ROWS = 256;
const BATCHES_IN_FLIGHT = 24;
const PAGE_ROWS = 2000;

/** Writes events at their places. */
export interface EventWriter {
  /**
   * Stores messages that follow one another from sequence `first` on, and resolves when all are acknowledged. Writing
   * the same messages at the same places again changes nothing. Rejects with Cassandra's error, as a WardlineError,
   * once nothing is under way any more.
   *
   * What is one write is followed by a second one, of its last message: Cassandra 5.0 may drop the commit log of a write that
   * is the first behind a flush of its table and the last before the log is recycled, though the write is nowhere else yet
   * (docs/decisions/0028-a-write-behind-a-flush.md).
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
      const store = ({ from, to }: Range): Promise<void> =>
        send(messages.slice(from - first, to - first).map((message, at) => insertOf(epoch, from + at, message)));
      const batches = batchesOf(first, messages);
      const failed = (await Promise.allSettled(batches.map(store))).find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      const [only] = batches;
      if (batches.length === 1 && only !== undefined) await store({ from: only.to - 1, to: only.to });
    },
  };
}

function insertOf(epoch: number, sequence: number, message: Buffer): { query: string; params: unknown[] } {
  return { query: INSERT, params: [epoch, blockOf(sequence), int64(sequence), message] };
}

/** Sequences from `from` up to but without `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Ranges of sequences that may share a batch: one block, and within the limits. */
function batchesOf(first: number, messages: readonly Buffer[]): readonly Range[] {
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
  const query = `${SELECT} AND sequence >= ? AND sequence < ?`;
  const params = [epoch, block, int64(from ?? Number.MIN_SAFE_INTEGER), int64(to ?? Number.MAX_SAFE_INTEGER)];
  let pageState: string | undefined;
  do {
    const page: types.ResultSet = await execute(client, query, params, pageState);
    pageState = page.pageState;
    yield page.rows.map(storedEvent);
  } while (typeof pageState === 'string');
}

/** The events of a block that stand at these places, in order; those that are not there are left out. */
export async function readEventsAt(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  block: number,
  sequences: readonly number[],
): Promise<readonly StoredEvent[]> {
  const params = [epoch, block, sequences.map(int64)];
  return (await execute(client, `${SELECT} AND sequence IN ?`, params)).rows.map(storedEvent);
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

function storedEvent(row: types.Row): StoredEvent {
  return {
    sequence: (row['sequence'] as types.Long).toNumber(),
    message: (row['message'] as Buffer | null) ?? undefined,
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
