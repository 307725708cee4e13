import type { Context } from '@opentelemetry/api';
import type { Row } from '../core/record.ts';
import { microsecondRanges } from '../core/clock.ts';
import { retry } from '../core/async/retry.ts';
import { createSemaphore } from '../core/async/semaphore.ts';
import { accessOf } from '../security/connect/access.ts';
import { kafkaClient } from '../security/connect/kafka/kafka.ts';
import { watchMaterial } from '../security/connect/material/watch.ts';
import { renewingCassandra, type RenewingCassandra } from '../security/connect/cassandra/renewing-cassandra.ts';
import type { EscrowedKey } from '../security/keyring/key-escrow.ts';
import { openKeyring } from '../security/keyring/keyring.ts';
import { openKeyStore } from '../security/keyring/key-store/key-store.ts';
import { workerGroup } from '../security/principals/names.ts';
import { createMac } from '../security/sealed-field/record.ts';
import { watchWorker } from './alarms.ts';
import { createTopicConsumer, type TopicConsumer } from './consume/consumer.ts';
import { consumeStage } from './consume/verify.ts';
import { deadLetterStage } from './dead-letters/write.ts';
import { auditOf, processStatement, surroundingsOf, tlsFilesOf, type Environment } from './environment.ts';
import { createProducer, produceStage } from './produce.ts';
import { announceTo } from './seal/key-events.ts';
import { keyResolver, sealToDay, sealToSubject } from './seal/keys.ts';
import { startSealPool } from './seal/pool.ts';
import { attemptName, runSource, type Progress, type SourcePosition, type SourceSummary } from './source-run.ts';
import type { Source } from './sources/source.ts';
import { stage } from './stage.ts';
import { storeStage } from './store.ts';
import { transformStage } from './transform.ts';
import { createWorker } from './worker.ts';

/**
 * The way of a record, wired: this file alone puts the parts together.
 *
 *   source ─ check ─ seal ─ produce ──▶ Kafka ──▶ consume ─ transform ─ store ──▶ Cassandra
 *
 * Each stage body is a plain function in a file of its own; `stage` puts trace, retry and facts around it; a window of
 * records is audited as one before its position is moved (source-run.ts, worker.ts, window-chain.ts).
 */

/** A source at work: reads, checks, seals and produces until its input ends. */
export interface SourceProcess {
  run(parent: Context): Promise<SourceSummary>;
  close(): Promise<void>;
}

export interface SourceOptions {
  readonly source: Source;
  /** Where the position is kept, so that a source that was killed goes on where it was acknowledged. */
  readonly from: SourcePosition;
  readonly onAcknowledged: (position: SourcePosition) => void;
  readonly progress?: Progress;
}

/** Wires the source's side: file → check → seal → Kafka, as the principal `source`. */
export async function openSource(environment: Environment, options: SourceOptions): Promise<SourceProcess> {
  const { home, settings, connection, contract, contractPath, telemetry, clock } = environment;
  const access = accessOf(connection, 'source');
  const kafka = kafkaClient(connection, 'source', { patience: 'service' });
  const cassandra = renewingCassandra(connection, 'source');
  const keyStore = await openKeyStore(access);
  const integrityKey = keyStore.integrityKey(contract.id);
  const audit = auditOf(environment, 'source');
  const around = surroundingsOf(environment);
  const announce = announceTo(audit, contract, integrityKey);
  const copies = environment.openEscrow((id) => keyStore.integrityKey(id));
  // Waited out here, so that a key is announced once, however long its copy takes.
  const escrow = { ...copies, keep: (key: EscrowedKey) => retry(() => copies.keep(key), around.retry) };
  const keyring = openKeyring({ client: cassandra, keyStore, clock, announce, escrow });
  const producer = createProducer(kafka);
  const deadLetterProducer = createProducer(kafka);
  const partitions = await producer.partitionsOf(contract.topic.name);
  const resolveKeys = keyResolver(keyring, contract, () => clock.now());
  const pool = await startSealPool(settings.source.sealThreads, { contractPath, integrityKey }, (needs) =>
    retry(() => resolveKeys(needs), around.retry),
  );
  const sealLetter = sealToSubject(
    keyring,
    contract,
    sealToDay(keyStore, () => clock.now()),
  );
  const stages = {
    produce: stage('produce', produceStage(producer, contract.topic.name, partitions), around),
    deadLetter: stage(
      'dead-letter',
      deadLetterStage(deadLetterProducer, contract.topic.deadLetterName, contract, sealLetter),
      around,
    ),
  };
  const renewal = watchMaterial(tlsFilesOf(environment, 'source'), () => {
    for (const client of [producer, deadLetterProducer, audit, cassandra]) client.renew();
  });
  return {
    async run(parent) {
      await audit.append(processStatement('source.start', environment));
      const summary = await runSource({
        contract,
        source: options.source,
        pool,
        stages,
        around,
        audit,
        tracer: telemetry.tracer,
        parent,
        batchesAtOnce: settings.source.sealThreads + 2,
        windowRecords: settings.worker.windowRecords,
        windowMilliseconds: settings.worker.windowMilliseconds,
        attempt: attemptName(home.install, clock.now(), process.pid),
        from: options.from,
        takeTimestamps: microsecondRanges(clock, options.from.writeTimestamp),
        onAcknowledged: options.onAcknowledged,
        progress: options.progress ?? {},
        signal: environment.stop,
      });
      const { recordsRead: records, deadLetters: dead_letters, sealedFields: sealed_fields } = summary;
      await audit.append(processStatement('source.stop', environment, { records, dead_letters, sealed_fields }));
      return summary;
    },
    async close() {
      renewal.close();
      await Promise.allSettled([pool.close(), producer.disconnect(), deadLetterProducer.disconnect(), audit.close()]);
      keyring.close();
      await escrow.close();
      await cassandra.shutdown();
    },
  };
}

/** A worker at work, and the client it stores with. */
export interface WorkerProcess {
  /** Works until `stop`, or rejects on a fatal error. */
  run(): Promise<void>;
  /** Finishes what was taken in, has it audited and committed, and leaves the group. */
  stop(): Promise<void>;
  readonly cassandra: RenewingCassandra;
  /** What the worker's group has committed, other members included. */
  readonly committed: TopicConsumer['committed'];
  close(): Promise<void>;
}

export interface WorkerProcessOptions {
  /** Told of the rows of each batch once they are stored. */
  readonly onStored?: (rows: readonly Row[]) => void;
  /** Told after each commit the next offset of each partition. */
  readonly onCommitted?: (next: ReadonlyMap<number, bigint>) => void;
  readonly progress?: Progress;
}

/** Wires the worker's side: Kafka → transform → Cassandra, as the principal `worker`. It holds the integrity key and no other. */
export async function openWorker(environment: Environment, options: WorkerProcessOptions = {}): Promise<WorkerProcess> {
  const { home, settings, connection, contract, clock } = environment;
  const kafka = kafkaClient(connection, 'worker', { patience: 'service' });
  const cassandra = renewingCassandra(connection, 'worker');
  const keyStore = await openKeyStore(accessOf(connection, 'worker'));
  const mac = createMac(keyStore.integrityKey(contract.id), contract.id, contract.version);
  const audit = auditOf(environment, 'worker');
  const around = surroundingsOf(environment);
  const producer = createProducer(kafka);
  const consumer = createTopicConsumer({
    kafka,
    topic: contract.topic.name,
    groupId: workerGroup(contract.id),
    clock,
    onTrouble: (error) => environment.onWaiting(error.message),
  });
  const limits = {
    rowsPerBatch: settings.worker.rowsPerBatch,
    bytesPerBatch: settings.worker.kilobytesPerBatch * 1024,
    rowsInFlight: createSemaphore(settings.worker.batchesInFlight * settings.worker.rowsPerBatch),
  };
  const store = stage('store', storeStage(cassandra, contract, limits, clock), around);
  const deadLetter = stage(
    'dead-letter',
    deadLetterStage(
      producer,
      contract.topic.deadLetterName,
      contract,
      sealToDay(keyStore, () => clock.now()),
    ),
    around,
  );
  const worker = createWorker({
    contract,
    consumer,
    stages: {
      consume: stage('consume', consumeStage(contract, mac), around),
      transform: stage('transform', transformStage(contract), around),
      store: async (input, parent) => {
        await store(input, parent);
        options.onStored?.(input.rows);
        options.progress?.onStored?.(input.rows.length);
      },
      deadLetter: async (letters, parent) => {
        await deadLetter(letters, parent);
        options.progress?.onDeadLetters?.(letters.length);
      },
    },
    audit,
    tracer: environment.telemetry.tracer,
    watch: watchWorker({ contract, clock, instruments: environment.instruments, onAlarm: environment.onAlarm }),
    windowRecords: settings.worker.windowRecords,
    windowMilliseconds: settings.worker.windowMilliseconds,
    attempt: attemptName(home.install, clock.now(), process.pid),
    ...(options.onCommitted === undefined ? {} : { onCommitted: options.onCommitted }),
  });
  const renewal = watchMaterial(tlsFilesOf(environment, 'worker'), () => {
    for (const client of [producer, consumer, audit, cassandra]) client.renew();
  });
  return {
    async run() {
      cassandra.connect();
      await audit.append(processStatement('worker.start', environment));
      await worker.run();
    },
    async stop() {
      await worker.stop();
      await audit.append(processStatement('worker.stop', environment));
    },
    cassandra,
    committed: () => consumer.committed(),
    async close() {
      renewal.close();
      await consumer.stop();
      await Promise.allSettled([producer.disconnect(), audit.close()]);
      await cassandra.shutdown();
    },
  };
}
