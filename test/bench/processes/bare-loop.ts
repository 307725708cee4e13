import type { EachBatchPayload } from 'kafkajs';
import type { Client } from 'cassandra-driver';
import { createSemaphore } from '../../../core/async/semaphore.ts';
import { loadContract } from '../../../governance/contract/index.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { openHome } from '../../../core/home.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { workerGroup } from '../../../security/principals/names.ts';
import { answer, configuration, peakMegabytes, type PipelinePlace } from './environment.ts';
import { topicEnds } from './topic-ends.ts';

/** What the bare loop is told: the two settings that its speed depends on, and how much of the topic to take. */
export interface BareLoopWork extends PipelinePlace {
  readonly rowsPerBatch: number;
  readonly inFlight: number;
  /** Stops after this many records; null: at the end of what the topic holds. */
  readonly records: number | null;
}

export interface BareLoopAnswer {
  readonly records: number;
  /** From the first batch being in hand to the last write's acknowledgement. */
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMegabytes: number;
}

/** The same as the worker's, so that both are given the same batches. */
const CONSUMER = { sessionTimeout: 30_000, heartbeatInterval: 3000, allowAutoTopicCreation: false };
const PARTITIONS_AT_ONCE = 3;

const work = configuration() as BareLoopWork;
const home = openHome(work.home);
const connection = loadConnection(home, loadSettings(home));
const contract = loadContract(work.contract);
const kafka = kafkaClient(connection, 'worker', { patience: 'service' });
const cassandra = cassandraClient(connection, 'worker');
await cassandra.connect();
const ends = await topicEnds(kafka, contract.topic.name);
const places = createSemaphore(work.inFlight);
const writes = new Set<Promise<void>>();
const done = Promise.withResolvers<undefined>();
const store = compileStore(cassandra);
let records = 0;
let began = 0;
let before = process.cpuUsage();

const consumer = kafka.consumer({ groupId: workerGroup(contract.id), ...CONSUMER });
await consumer.connect();
await consumer.subscribe({ topics: [contract.topic.name], fromBeginning: true });
await consumer.run({ autoCommit: false, partitionsConsumedConcurrently: PARTITIONS_AT_ONCE, eachBatch: takeBatch });
await done.promise;
await Promise.all(writes);
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(before);
answer({
  records,
  seconds,
  processorSeconds: (user + system) / 1e6,
  peakMegabytes: peakMegabytes(),
} satisfies BareLoopAnswer);
await Promise.allSettled([consumer.disconnect(), cassandra.shutdown()]);
process.exit();

/** JSON.parse, rows of one partition together, one unlogged batch after the other; goes on while the limit allows. */
async function takeBatch({ batch, resolveOffset }: Pick<EachBatchPayload, 'batch' | 'resolveOffset'>): Promise<void> {
  if (began === 0) {
    began = performance.now();
    before = process.cpuUsage();
  }
  const byPartition = new Map<string, { readonly day: string; readonly rows: unknown[][] }>();
  for (const { key, value } of batch.messages) {
    const name = key?.toString() ?? '';
    let group = byPartition.get(name);
    if (group === undefined) byPartition.set(name, (group = { day: dayOf(name), rows: [] }));
    group.rows.push(store.bind(JSON.parse(value?.toString() ?? '{}') as Record<string, unknown>, group.day));
  }
  for (const { rows } of byPartition.values()) {
    for (let start = 0; start < rows.length; start += work.rowsPerBatch) {
      const release = await places.acquire();
      const write = store.write(rows.slice(start, start + work.rowsPerBatch)).finally(release);
      writes.add(write);
      write.then(() => writes.delete(write), done.reject);
    }
  }
  records += batch.messages.length;
  const last = batch.lastOffset();
  resolveOffset(last);
  if (BigInt(last) + 1n >= (ends.get(batch.partition) ?? 0n)) ends.delete(batch.partition);
  if (ends.size === 0 || records >= (work.records ?? Infinity)) done.resolve(undefined);
}

/** One prepared statement with the columns that the message itself has, and the day, without which there is no key. */
function compileStore(client: Client) {
  const { keyspace, name } = contract.table;
  const direct = contract.properties.filter((property) =>
    contract.messageFields.some((field) => field.property === property.name),
  );
  const fields = direct.map(({ name: property, column, type, sealedAs }) => ({
    column,
    field: contract.messageFields.find((message) => message.property === property)?.name ?? property,
    isTime: type === 'timestamp' && sealedAs === undefined,
  }));
  const columns = [...fields.map((field) => field.column), 'day'];
  const query = `INSERT INTO ${keyspace}.${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  return {
    bind(message: Readonly<Record<string, unknown>>, day: string): unknown[] {
      const row: unknown[] = fields.map(({ field, isTime }) => (isTime ? timeOf(message[field]) : message[field]));
      row.push(day);
      return row;
    },
    async write(rows: readonly unknown[][]): Promise<void> {
      await client.batch(
        rows.map((params) => ({ query, params })),
        { prepare: true, logged: false, isIdempotent: true },
      );
    },
  };
}

/** The message key is the Cassandra partition: home and day. */
function dayOf(messageKey: string): string {
  return (JSON.parse(messageKey) as readonly string[])[1] ?? '';
}

/** The source's own spelling: seconds since the epoch, as a number or a text. */
function timeOf(value: unknown): Date {
  return new Date(Number(value) * 1000);
}
