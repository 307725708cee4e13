import type {
  Admin,
  Batch,
  Consumer,
  ConsumerCommitOffsetsEvent,
  EachBatchPayload,
  Kafka,
  KafkaMessage,
} from 'kafkajs';
import { sleep, type Clock } from '../../core/clock.ts';
import { asWardlineError, WardlineError } from '../../core/errors/errors.ts';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import { watchConsumer } from './liveness.ts';
import { createPartitionPositions, type CommittedPosition } from './partition-positions.ts';

/** Messages of one partition, in offset order, without gaps since the batch before. */
export interface PartitionBatch {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
  /** One life of a partition: offsets mean something only together with it. */
  readonly incarnation: string;
  /** The offset after the last record that the partition held when the batch was fetched. */
  readonly highWatermark: bigint;
}

/** A member of a consumer group that reports what kafkajs would pass over in silence. */
export interface TopicConsumer {
  /**
   * Hands out batches until `stop` or a fatal error (KAFKA_OFFSET_LOST, or what `handle` throws). A consumer that
   * crashed or fell silent is replaced; batches that were not committed are handed out again.
   */
  run(handle: (batch: PartitionBatch) => Promise<void>): Promise<void>;
  /**
   * Commits the next offset to read of each partition. That the group is being rebalanced is no error: what was not
   * committed is handed out again.
   */
  commit(next: ReadonlyMap<number, bigint>): Promise<void>;
  incarnations(): ReadonlyMap<number, string>;
  /** What the whole group has committed, other members included. */
  committed(): Promise<ReadonlyMap<number, CommittedPosition>>;
  /** Replaces the member by a new one with new connections, which use the credentials that now stand in the files. */
  renew(): void;
  /** Takes in no further batch; what was taken in can still be committed. */
  drain(): void;
  stop(): Promise<void>;
}

export interface TopicConsumerOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly groupId: string;
  readonly clock: Clock;
  /** Told why the consumer is being replaced, or a commit was not taken. */
  readonly onTrouble: (error: WardlineError) => void;
}

/** A worker that was killed keeps its partitions for so long; one that is only slow beats every 3 s, whatever it works on. */
const SESSION_TIMEOUT = 12_000;
const HEARTBEAT_INTERVAL = 3000;
/** How long the broker holds a fetch that finds nothing, in milliseconds; stopping waits for as long at most. */
const FETCH_WAIT = 300;
/** The most that one fetch brings, in bytes: what waits for its turn lies in memory, and more of it makes nothing faster. */
const FETCH_BYTES = 2 * 1024 * 1024;
const RESTART_DELAY = 1000;
const PARTITIONS_AT_ONCE = 3;
/** While drained, kafkajs offers the same batch again and again; this slows it down, in milliseconds. */
const DRAINED_PAUSE = 50;
/** What a broker answers for a partition that the group never committed. */
const NOTHING_COMMITTED = '-1';
/** A commit is preceded by a look at what the group knows when the last look is older than this, in milliseconds. */
const CONFIRM_AFTER = 5000;
/** How often a member looks that has nothing to commit, in milliseconds. */
const CONFIRM_INTERVAL = 10_000;

export function createTopicConsumer(options: TopicConsumerOptions): TopicConsumer {
  const { kafka, topic, groupId, clock, onTrouble } = options;
  const positions = createPartitionPositions(topic);
  const stopSignal = new AbortController();
  let joined: Promise<void> | undefined;
  let current: Consumer | undefined;
  let draining = false;
  let confirmedAt = 0;
  let failure: { readonly error: unknown } | undefined;
  let running: Promise<void> = Promise.resolve();
  let renew: () => void = () => undefined;

  /** One connection for all looks at the group: making one costs a TLS handshake and a SCRAM login. */
  let asking: Promise<Admin> | undefined;
  const connectAdmin = async (): Promise<Admin> => {
    const admin = kafka.admin();
    await admin.connect();
    return admin;
  };
  const dropAdmin = async (): Promise<void> => {
    const dropped = asking;
    asking = undefined;
    await dropped?.then((admin) => admin.disconnect()).catch(() => undefined);
  };

  const fetchCommitted = async (): Promise<Map<number, CommittedPosition>> => {
    try {
      asking ??= connectAdmin();
      const [group] = await (await asking).fetchOffsets({ groupId, topics: [topic] });
      const partitions = (group?.partitions ?? []).filter(({ offset }) => offset !== NOTHING_COMMITTED);
      return new Map(
        partitions.map(({ partition, offset, metadata }) => [
          partition,
          { offset: BigInt(offset), incarnation: metadata ?? '' },
        ]),
      );
    } catch (error) {
      await dropAdmin();
      throw asKafkaError(error);
    }
  };

  /** The incarnation travels as the commit's metadata. */
  const commitWith = async (consumer: Consumer, next: ReadonlyMap<number, bigint>): Promise<void> => {
    const incarnations = positions.incarnations();
    const offsets = [...next].map(([partition, offset]) => ({
      topic,
      partition,
      offset: String(offset),
      metadata: incarnations.get(partition) ?? null,
    }));
    if (offsets.length > 0) await consumer.commitOffsets(offsets);
  };

  /** What others committed meanwhile counts, not what this member remembers. Once each time that the member joins. */
  const join = (): Promise<void> => {
    joined ??= fetchCommitted()
      .then((committed) => {
        positions.rejoin(committed);
        confirmedAt = clock.now();
      })
      .catch((error: unknown) => {
        joined = undefined;
        throw error;
      });
    return joined;
  };

  const end = (error: unknown): void => {
    failure ??= { error };
    stopSignal.abort();
  };

  /** A topic can be made again between two fetches, or while this process was stopped: only the missing commits show it. */
  const confirm = async (): Promise<void> => {
    if (clock.now() - confirmedAt < CONFIRM_AFTER) return;
    positions.confirm(await fetchCommitted());
    confirmedAt = clock.now();
  };

  const accept = async (consumer: Consumer, { partition, messages, highWatermark }: Batch): Promise<PartitionBatch> => {
    await join();
    const first = BigInt(messages[0]?.offset ?? 0);
    const { incarnation, isNew } = positions.arrive(partition, first);
    if (isNew) {
      // The incarnation is on record before the first row names it.
      await commitWith(consumer, new Map([[partition, first]]));
      if (positions.arrive(partition, first).isNew) throw notCommitted();
    }
    positions.take(partition, BigInt(messages.at(-1)?.offset ?? first));
    return { partition, messages, incarnation, highWatermark: BigInt(highWatermark) };
  };

  /** One batch. An error that may pass is left to kafkajs, which offers the batch again; any other ends the consumer. */
  const take = async (
    consumer: Consumer,
    payload: EachBatchPayload,
    alive: () => void,
    handle: (batch: PartitionBatch) => Promise<void>,
  ): Promise<void> => {
    const beating = setInterval(() => void payload.heartbeat().then(alive, () => undefined), HEARTBEAT_INTERVAL);
    try {
      await handle(await accept(consumer, payload.batch));
      payload.resolveOffset(payload.batch.lastOffset());
    } catch (error) {
      if (asKafkaError(error).retryable) throw error;
      end(error);
    } finally {
      clearInterval(beating);
    }
  };

  const runOnce = async (handle: (batch: PartitionBatch) => Promise<void>): Promise<void> => {
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: SESSION_TIMEOUT,
      heartbeatInterval: HEARTBEAT_INTERVAL,
      maxWaitTimeInMs: FETCH_WAIT,
      maxBytes: FETCH_BYTES,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    const { alive, ended } = watchConsumer(consumer, clock, stopSignal.signal);
    const confirming = setInterval(() => {
      confirm().catch((error: unknown) => {
        if (!asKafkaError(error).retryable) end(error);
      });
    }, CONFIRM_INTERVAL);
    consumer.on(consumer.events.GROUP_JOIN, () => {
      joined = undefined;
      positions.leave();
    });
    // kafkajs resolves a commit also where it did not send it, for a consumer that is ending: this event tells.
    consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => positions.commit(acknowledged(payload)));
    try {
      // Before kafkajs sees it: where the committed offset is out of range, kafkajs commits another one over it.
      joined = undefined;
      await join();
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      current = consumer;
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: async (payload) => {
          if (draining) await sleep(DRAINED_PAUSE, stopSignal.signal);
          if (
            draining ||
            stopSignal.signal.aborted ||
            !payload.isRunning() ||
            payload.isStale() ||
            payload.batch.messages.length === 0
          )
            return;
          await take(consumer, payload, alive, handle);
        },
      });
      const renewed = new Promise<undefined>((resolve) => (renew = () => resolve(undefined)));
      const trouble = await Promise.race([ended, renewed]);
      if (trouble !== undefined) onTrouble(trouble);
    } catch (error) {
      const trouble = asKafkaError(error);
      if (!trouble.retryable) throw trouble;
      onTrouble(trouble);
    } finally {
      clearInterval(confirming);
      current = undefined;
      // A member that comes after has connections of its own, with the credentials that then stand in the files.
      await Promise.allSettled([consumer.disconnect(), dropAdmin()]);
    }
  };

  return {
    run(handle) {
      const rounds = (async (): Promise<void> => {
        while (!stopSignal.signal.aborted) {
          await runOnce(handle);
          await sleep(RESTART_DELAY, stopSignal.signal);
        }
        if (failure !== undefined) throw asWardlineError(failure.error);
      })();
      running = rounds.catch(() => undefined);
      return rounds;
    },
    async commit(next) {
      if (current === undefined) return;
      try {
        await confirm();
        await commitWith(current, positions.committable(next));
      } catch (error) {
        const trouble = asKafkaError(error);
        // That the group is changing counts as passing: see asKafkaError.
        if (!trouble.retryable) throw trouble;
        onTrouble(trouble);
      }
    },
    incarnations: () => positions.incarnations(),
    committed: fetchCommitted,
    renew: () => renew(),
    drain() {
      draining = true;
    },
    async stop() {
      stopSignal.abort();
      await running;
      await dropAdmin();
    },
  };
}

function acknowledged({ topics }: ConsumerCommitOffsetsEvent['payload']): ReadonlyMap<number, bigint> {
  return new Map(
    topics.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, BigInt(offset)] as const)),
  );
}

function notCommitted(): WardlineError {
  return new WardlineError('KAFKA_UNREACHABLE', 'the group did not take the first commit of a partition; trying again');
}
