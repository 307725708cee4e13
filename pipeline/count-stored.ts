import type { Client } from 'cassandra-driver';
import { createSemaphore } from '../core/async/semaphore.ts';
import type { CompiledContract } from '../governance/contract/compiled.ts';
import { asCassandraError } from '../security/connect/cassandra/cassandra.ts';
import type { BoundValue, Row } from '../core/record.ts';

/** Offsets of one run on one Kafka partition: from the first, up to but without the end. */
export interface RunRange {
  readonly from: bigint;
  readonly end: bigint;
  readonly incarnation: string;
}

/** Remembers which Cassandra partitions a run wrote to, as long as they are few. */
export interface TouchedPartitions {
  add(rows: readonly Row[]): void;
  /** The partition keys as bound values, or undefined where they were too many to remember. */
  keys(): readonly (readonly BoundValue[])[] | undefined;
}

/** Above this the whole table is scanned instead: both ways count the same, this one only bounds memory. */
const PARTITIONS_LIMIT = 20_000;
const QUERIES_AT_ONCE = 16;
const PAGE_ROWS = 5000;

export function trackPartitions(contract: CompiledContract): TouchedPartitions {
  const { columns, partitionKey } = contract.table;
  const indexes = partitionKey.map((name) => columns.findIndex((column) => column.name === name));
  const seen = new Map<string, readonly BoundValue[]>();
  let last: string | undefined;
  return {
    add(rows) {
      for (const row of rows) {
        if (row.partitionKey === last || seen.size > PARTITIONS_LIMIT) continue;
        last = row.partitionKey;
        if (!seen.has(last)) {
          // Copies: the row's own buffers are views of larger ones.
          seen.set(
            last,
            indexes.map((index) => {
              const value = row.values[index] ?? null;
              return Buffer.isBuffer(value) ? Buffer.from(value) : value;
            }),
          );
        }
      }
    },
    keys: () => (seen.size > PARTITIONS_LIMIT ? undefined : [...seen.values()]),
  };
}

/**
 * Counts, in Cassandra itself, the distinct keys that a run stored: of a key that came twice the last write wins and
 * bears its offset, so each key is found once, with an offset of this run. Reads as `client`'s principal.
 */
export async function countStored(
  client: Pick<Client, 'eachRow'>,
  contract: CompiledContract,
  ranges: ReadonlyMap<number, RunRange>,
  touched: TouchedPartitions,
): Promise<number> {
  const { keyspace, name, partitionKey } = contract.table;
  const select = `SELECT wardline_incarnation, wardline_partition, wardline_offset FROM ${keyspace}.${name}`;
  const keys = touched.keys();
  if (keys === undefined) return countRows(client, select, [], ranges);
  const where = `${select} WHERE ${partitionKey.map((column) => `${column} = ?`).join(' AND ')}`;
  const places = createSemaphore(QUERIES_AT_ONCE);
  const counts = await Promise.all(
    keys.map(async (key) => {
      const release = await places.acquire();
      try {
        return await countRows(client, where, key, ranges);
      } finally {
        release();
      }
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function countRows(
  client: Pick<Client, 'eachRow'>,
  query: string,
  params: readonly BoundValue[],
  ranges: ReadonlyMap<number, RunRange>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    client.eachRow(
      query,
      [...params],
      { prepare: true, autoPage: true, fetchSize: PAGE_ROWS },
      (_index, row) => {
        const range = ranges.get(row.get('wardline_partition') as number);
        if (range === undefined || row.get('wardline_incarnation') !== range.incarnation) return;
        const offset = BigInt(String(row.get('wardline_offset')));
        if (offset >= range.from && offset < range.end) count += 1;
      },
      (error) => {
        if ((error as Error | null) == null) resolve(count);
        else reject(asCassandraError(error));
      },
    );
  });
}
