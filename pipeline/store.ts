import type { Client } from 'cassandra-driver';
import type { Clock } from '../core/clock.ts';
import type { Semaphore } from '../core/async/semaphore.ts';
import { PROVENANCE_COLUMNS, type CompiledContract } from '../governance/contract/compiled.ts';
import { asCassandraError } from '../security/connect/cassandra/cassandra.ts';
import type { StageBody } from './stage.ts';
import type { BoundValue, Row } from '../core/record.ts';

/** Rows of one Kafka partition, with what identifies it. */
export interface StoreInput {
  readonly rows: readonly Row[];
  readonly partition: number;
  readonly incarnation: string;
}

export interface StoreLimits {
  readonly rowsPerBatch: number;
  /** Bytes of values in one batch: Cassandra refuses a batch over `batch_size_fail_threshold`. */
  readonly bytesPerBatch: number;
  /** Shared by all calls: bounds the rows under way. Counted in rows, so that many small batches need not wait for each other. */
  readonly rowsInFlight: Semaphore;
}

interface Statement {
  readonly query: string;
  readonly params: readonly BoundValue[];
  /** What the values take, roughly: a number stands for eight bytes. */
  readonly bytes: number;
}

/**
 * Stage store: writes rows in unlogged batches of one Cassandra partition each, at LOCAL_QUORUM, and resolves when all
 * are acknowledged. Each statement carries its record's own write timestamp and remaining life, so that a repetition
 * changes nothing, never overwrites what is newer, and never prolongs a life. A row whose life is over is not written.
 * What is one batch is followed by its last row once more: see docs/decisions/0028-a-write-behind-a-flush.md.
 */
export function storeStage(
  client: Pick<Client, 'batch'>,
  contract: CompiledContract,
  limits: StoreLimits,
  clock: Clock,
): StageBody<StoreInput, undefined> {
  const query = insertStatement(contract);
  const retention = contract.retentionSeconds;
  const statementOf = (row: Row, partition: number, incarnation: string, life: number | undefined): Statement => {
    let bytes = 0;
    for (const value of row.values)
      bytes += typeof value === 'string' || value instanceof Buffer ? value.length : NUMBER_BYTES;
    const provenance = [incarnation, partition, int64(row.offset), int64(row.writeTimestamp)];
    const params = life === undefined ? [...row.values, ...provenance] : [...row.values, ...provenance, life];
    return { query, params, bytes };
  };
  return async ({ rows, partition, incarnation }) => {
    const nowSeconds = Math.floor(clock.now() / 1000);
    const byPartition = new Map<string, Statement[]>();
    let expired = 0;
    for (const row of rows) {
      const life =
        retention === undefined ? undefined : retention - (nowSeconds - Number(row.writeTimestamp / 1_000_000n));
      if (life !== undefined && life <= 0) {
        expired += 1;
        continue;
      }
      const statement = statementOf(row, partition, incarnation, life);
      const statements = byPartition.get(row.partitionKey);
      if (statements === undefined) byPartition.set(row.partitionKey, [statement]);
      else statements.push(statement);
    }
    const write = async (batch: readonly Statement[]): Promise<void> => {
      const release = await limits.rowsInFlight.acquire(batch.length);
      try {
        await client.batch([...batch], { prepare: true, logged: false, isIdempotent: true });
      } catch (error) {
        throw asCassandraError(error);
      } finally {
        release();
      }
    };
    const batches = [...byPartition.values()].flatMap((statements) => [...batchesOf(statements, limits)]);
    // Every write is awaited even when one fails: a repetition must not race with what is still under way.
    const failed = (await Promise.allSettled(batches.map(write))).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const [only] = batches;
    if (batches.length === 1 && only !== undefined) await write(only.slice(-1));
    return { output: undefined, facts: { counts: { rows: rows.length - expired, batches: batches.length, expired } } };
  };
}

const NUMBER_BYTES = 8;

function insertStatement(contract: CompiledContract): string {
  const { keyspace, name, columns } = contract.table;
  const names = [...columns.map((column) => column.name), ...PROVENANCE_COLUMNS.map((column) => column.name)];
  const life = contract.retentionSeconds === undefined ? '' : ' AND TTL ?';
  return `INSERT INTO ${keyspace}.${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) USING TIMESTAMP ?${life}`;
}

function* batchesOf(statements: readonly Statement[], limits: StoreLimits): Generator<readonly Statement[]> {
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < statements.length; index += 1) {
    const size = statements[index]?.bytes ?? 0;
    if (index > start && (index - start >= limits.rowsPerBatch || bytes + size > limits.bytesPerBatch)) {
      yield statements.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < statements.length) yield statements.slice(start);
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
