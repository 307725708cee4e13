import type { Client } from 'cassandra-driver';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventDocument } from '../../../audit/event/document.ts';
import { trustedKeys } from '../../../audit/signature/signing-key.ts';
import { verifyEvent } from '../../../audit/event/verify-event.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { openHome } from '../../../core/home.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, workerGroup } from '../../../security/principals/names.ts';
import type { Ledger } from './ledger.ts';

export interface WindowRange {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly incarnation: string | undefined;
}

/** One audited window of a stage. */
export interface AuditedWindow {
  readonly stage: string;
  readonly ranges: readonly WindowRange[];
  readonly root: string;
  readonly attempt: string;
}

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, bigint>;

/** Sees from outside where a pipeline stands: topic, group, audit log, table. */
export interface Observer {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly cassandra: Client;
  ends(): Promise<Offsets>;
  /** Where the worker group goes on, for partitions that have a commit. */
  committed(): Promise<Offsets>;
  /** Every verified window of the contract that the audit log now holds. Resolves when all is read. */
  windows(): Promise<readonly AuditedWindow[]>;
  /** Offsets that stand in Cassandra, by partition. */
  storedOffsets(): Promise<ReadonlyMap<number, ReadonlySet<bigint>>>;
  close(): Promise<void>;
}

const POLL_MILLISECONDS = 10;
const PAGE_ROWS = 5000;

/** Starts observing the pipeline of one contract, as break-glass: whoever judges a fault must see all. Needs running servers. */
export async function observe(homePath: string, ledger: Ledger): Promise<Observer> {
  const home = openHome(homePath);
  const connection = loadConnection(home, loadSettings(home));
  const kafka = kafkaClient(connection, 'break-glass', { patience: 'service' });
  const cassandra = cassandraClient(connection, 'reader');
  const keys = trustedKeys(
    readdirSync(home.paths.principals).map((principal) => ({
      principal,
      publicKeyPem: readFileSync(join(home.paths.principals, principal, 'signing.pub'), 'utf8'),
    })),
  );
  const admin = kafka.admin();
  await admin.connect();
  const windows: AuditedWindow[] = [];
  // No earlier event is about this contract, which is new.
  let next = await auditEnd(admin);
  const follower = await follow(kafka, ledger.id, next, (offset, value) => {
    if (offset < next) return;
    next = offset + 1n;
    const window = windowOf(verifyEvent(value, keys), ledger.id);
    if (window !== undefined) windows.push(window);
  });

  return {
    kafka,
    admin,
    cassandra,
    async ends() {
      const offsets = await admin.fetchTopicOffsets(ledger.topic);
      return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
    },
    async committed() {
      const [group] = await admin.fetchOffsets({ groupId: workerGroup(ledger.id), topics: [ledger.topic] });
      const known = (group?.partitions ?? []).filter(({ offset }) => BigInt(offset) >= 0n);
      return new Map(known.map(({ partition, offset }) => [partition, BigInt(offset)]));
    },
    async windows() {
      const end = await auditEnd(admin);
      while (next < end) await sleep(POLL_MILLISECONDS);
      return windows;
    },
    async storedOffsets() {
      const found = new Map<number, Set<bigint>>();
      const query = `SELECT wardline_partition, wardline_offset FROM ${ledger.table}`;
      for await (const row of await cassandra.execute(query, [], { prepare: true, fetchSize: PAGE_ROWS })) {
        const partition = row.get('wardline_partition') as number;
        const offsets = found.get(partition) ?? new Set<bigint>();
        found.set(partition, offsets.add(BigInt(String(row.get('wardline_offset')))));
      }
      return found;
    },
    async close() {
      await Promise.allSettled([follower.disconnect(), admin.disconnect(), cassandra.shutdown()]);
    },
  };
}

async function auditEnd(admin: Admin): Promise<bigint> {
  const [end] = await admin.fetchTopicOffsets(AUDIT_TOPIC);
  return BigInt(end?.high ?? 0);
}

/** Hands over every message of the audit log, from this offset on, in order; some may come again. */
async function follow(
  kafka: Kafka,
  name: string,
  from: bigint,
  take: (offset: bigint, value: Buffer) => void,
): Promise<Consumer> {
  const groupId = `wardline.break-glass.observer-${name}-${Date.now()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    retry: { restartOnFailure: () => Promise.resolve(true) },
  });
  await consumer.connect();
  await consumer.subscribe({ topic: AUDIT_TOPIC, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ message }) => {
      take(BigInt(message.offset), message.value ?? Buffer.alloc(0));
      return Promise.resolve();
    },
  });
  consumer.seek({ topic: AUDIT_TOPIC, partition: 0, offset: String(from) });
  return consumer;
}

function windowOf(event: EventDocument, contractId: string): AuditedWindow | undefined {
  if (!event.action.startsWith('stage.') || event.contract?.id !== contractId) return undefined;
  const details = event.details as unknown as {
    attempt: string;
    root: string;
    ranges: { partition: number; from: string; to: string; incarnation?: string }[];
  };
  return {
    stage: event.action.slice('stage.'.length),
    root: details.root,
    attempt: details.attempt,
    ranges: details.ranges.map(({ partition, from, to, incarnation }) => ({
      partition,
      from: BigInt(from),
      to: BigInt(to),
      incarnation,
    })),
  };
}

/** How far windows of a stage reach on each partition without a gap: the first offset that none of them covers. */
export function coveredBy(windows: readonly AuditedWindow[], stage: string): Offsets {
  const byPartition = new Map<number, WindowRange[]>();
  for (const window of windows) {
    if (window.stage !== stage) continue;
    for (const range of window.ranges)
      byPartition.set(range.partition, [...(byPartition.get(range.partition) ?? []), range]);
  }
  return new Map(
    [...byPartition].map(([partition, ranges]) => {
      let covered = 0n;
      for (const { from, to } of ranges.sort((a, b) => Number(a.from - b.from)))
        if (from <= covered && to >= covered) covered = to + 1n;
      return [partition, covered];
    }),
  );
}
