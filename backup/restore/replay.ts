import type { Client } from 'cassandra-driver';
import type { KafkaMessage } from 'kafkajs';
import type { TrustedKeys } from '../../audit/signature/signing-key.ts';
import { retry } from '../../core/async/retry.ts';
import { createSemaphore } from '../../core/async/semaphore.ts';
import type { Clock } from '../../core/clock.ts';
import type { Settings } from '../../core/configuration.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { Row } from '../../core/record.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { consumeStage } from '../../pipeline/consume/verify.ts';
import { HEADERS } from '../../pipeline/messages.ts';
import { storeStage } from '../../pipeline/store.ts';
import { transformStage } from '../../pipeline/transform.ts';
import { createMac } from '../../security/sealed-field/record.ts';
import { readArchive, type ArchivedMessage, type ArchiveGap } from '../archive/read/read-archive.ts';
import type { ArchivePoint } from '../archive/read/start.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { placeReader, type PlaceReader } from './topics/original-place.ts';

export interface ReplayParts {
  readonly store: ObjectStore;
  readonly install: string;
  readonly identities: readonly string[];
  readonly trusted: TrustedKeys;
  /** Writes as the worker. */
  readonly cassandra: Pick<Client, 'batch'>;
  readonly integrityKey: (contract: string) => Buffer;
  readonly settings: Pick<Settings, 'worker'>;
  readonly clock: Clock;
}

export interface Replay {
  /** Every version of the contract that messages may be of; all store into one table. */
  readonly contracts: readonly CompiledContract[];
  /** Another keyspace to store into than the contract's. */
  readonly keyspace?: string | undefined;
  /** Where each partition begins. */
  readonly from: ReadonlyMap<number, ArchivePoint>;
  /** What the rows name as the incarnation of a partition in its life of the archive. */
  readonly incarnationOf: (partition: number, life: string) => string;
  /** Only what the broker had appended by then, in milliseconds since the epoch. */
  readonly to?: number | undefined;
  /** Only the rows of this data subject. */
  readonly subject?: string | undefined;
  readonly onProgress?: ((messages: number) => void) | undefined;
  /** Awaited before the first message is stored; not called where there is none. */
  readonly beforeFirst?: (() => Promise<void>) | undefined;
}

export interface ReplaySummary {
  readonly messages: number;
  readonly rows: number;
  /** Messages that cannot pass, as they could not at first: each was kept as a dead letter then. */
  readonly refused: number;
  /** When the broker appended the last one, in milliseconds since the epoch; undefined where there was none. */
  readonly lastAppended: number | undefined;
  readonly gaps: readonly ArchiveGap[];
}

const ATTEMPTS = 12;

/**
 * Stores once more what the worker stored, from the log archive: through the worker's own stages, so with every check,
 * and with the write timestamps and lives that the records have. Storing a row again changes nothing, so that an
 * interrupted replay is begun anew. Throws BACKUP_DAMAGED, IDENTITY_WRONG, CASSANDRA_… after a minute of attempts.
 */
export async function replayArchive(parts: ReplayParts, replay: Replay): Promise<ReplaySummary> {
  const versions = new Map(replay.contracts.map((contract) => [contract.version, stagesOf(parts, replay, contract)]));
  const [newest] = replay.contracts;
  if (newest === undefined) return { messages: 0, rows: 0, refused: 0, lastAppended: undefined, gaps: [] };
  const gaps: ArchiveGap[] = [];
  const archived = readArchive({
    ...{ store: parts.store, install: parts.install, identities: parts.identities, verify: parts.trusted },
    topic: newest.topic.name,
    from: replay.from,
    ...(replay.to === undefined ? {} : { to: { time: replay.to } }),
    onGap: (gap) => gaps.push(gap),
  });
  const places = placeReader();
  let [messages, rows, refused] = [0, 0, 0];
  let lastAppended: number | undefined;
  for await (const chunk of archived) {
    if (messages === 0) await replay.beforeFirst?.();
    for (const group of grouped(chunk.map((message) => placed(message, places, replay)))) {
      const { partition, incarnation, version } = group;
      const stages = versions.get(version);
      const unknown = { rows: 0, refused: group.messages.length };
      const outcome = (await stages?.(group.messages, partition, incarnation)) ?? unknown;
      rows += outcome.rows;
      refused += outcome.refused;
    }
    messages += chunk.length;
    for (const { timestamp } of chunk) lastAppended = Math.max(lastAppended ?? 0, timestamp);
    replay.onProgress?.(messages);
  }
  return { messages, rows, refused, lastAppended, gaps };
}

type Stages = (
  messages: readonly ArchivedMessage[],
  partition: number,
  incarnation: string,
) => Promise<{ readonly rows: number; readonly refused: number }>;

/** The worker's way for messages of one version of the contract. Returns how many became rows, and how many could not. */
function stagesOf(parts: ReplayParts, { keyspace, subject }: Replay, contract: CompiledContract): Stages {
  const { rowsPerBatch, kilobytesPerBatch, batchesInFlight } = parts.settings.worker;
  const target = keyspace === undefined ? contract : { ...contract, table: { ...contract.table, keyspace } };
  const consume = consumeStage(contract, createMac(parts.integrityKey(contract.id), contract.id, contract.version));
  const transform = transformStage(contract);
  const limits = {
    rowsPerBatch,
    bytesPerBatch: kilobytesPerBatch * 1024,
    rowsInFlight: createSemaphore(batchesInFlight * rowsPerBatch),
  };
  const store = storeStage(parts.cassandra, target, limits, parts.clock);
  return async (archived, partition, incarnation) => {
    const { output: verified } = await consume(archived.map(asKafkaMessage));
    const { output: transformed } = await transform(verified.messages);
    const rows = subject === undefined ? transformed.rows : transformed.rows.filter(isOf(contract, subject));
    await retry(async () => store({ rows, partition, incarnation }), {
      ...{ firstDelayMilliseconds: 200, longestDelayMilliseconds: 8000, attempts: ATTEMPTS },
      retryable: (error) => asWardlineError(error).retryable,
    });
    return { rows: rows.length, refused: archived.length - transformed.rows.length };
  };
}

/** Tells whether a row is about the data subject. */
function isOf(contract: CompiledContract, subject: string): (row: Row) => boolean {
  const place = contract.table.columns.findIndex(({ property }) => property === contract.dataSubject);
  return ({ values }) => values[place] === subject;
}

/** A message with the place that rows name: of a copy, which a restore put on the topic, that of its original. */
type PlacedMessage = ArchivedMessage & { readonly incarnation: string };

function placed(message: ArchivedMessage, places: PlaceReader, { incarnationOf }: Replay): PlacedMessage {
  const { partition, life } = message;
  const original = places.original(message);
  // Asked in any case: it must hear of the lives in their order.
  const stated = incarnationOf(partition, life);
  if (original !== undefined) return { ...message, offset: original.offset, incarnation: original.incarnation };
  return { ...message, incarnation: places.incarnationOf(partition, life) ?? stated };
}

interface Group {
  readonly partition: number;
  readonly incarnation: string;
  readonly version: string;
  readonly messages: PlacedMessage[];
}

/** Messages that take the same way. The order within a partition does not matter: write timestamps decide. */
function grouped(messages: readonly PlacedMessage[]): Iterable<Group> {
  const groups = new Map<string, Group>();
  for (const message of messages) {
    const { partition, incarnation } = message;
    const version = headerOf(message, HEADERS.contractVersion)?.toString() ?? '';
    const name = JSON.stringify([partition, incarnation, version]);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { partition, incarnation, version, messages: [message] });
    else group.messages.push(message);
  }
  return groups.values();
}

function headerOf({ headers }: ArchivedMessage, name: string): Buffer | null | undefined {
  return headers.find(([of]) => of === name)?.[1];
}

/** As kafkajs would hand it over; of a header that occurs twice both values, as there. */
function asKafkaMessage({ offset, timestamp, key, value, headers }: ArchivedMessage): KafkaMessage {
  const byName: Record<string, Buffer | Buffer[]> = {};
  for (const [name, content] of headers) {
    if (content === null) continue;
    const before = byName[name];
    byName[name] = before === undefined ? content : Array.isArray(before) ? [...before, content] : [before, content];
  }
  return { key, value, headers: byName, offset: String(offset), timestamp: String(timestamp), attributes: 0 };
}
