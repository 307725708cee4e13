import { createRequire } from 'node:module';
import type { Message, Producer, RecordMetadata } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { sendAll } from './send-all.ts';

/**
 * The part of kafkajs that cuts a request into one for each broker, on brokers that are not real: that one dies while the
 * other has answered cannot be timed on real ones. test/compose/cluster.test.ts kills real ones and counts.
 */
const createSendMessages = createRequire(import.meta.url)('kafkajs/src/producer/sendMessages.js') as (
  parts: object,
) => (request: object) => Promise<RecordMetadata[]>;

interface Produced {
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly Message[] }[];
  }[];
}

/** Two brokers, each the leader of one partition; the second dies with its first request, and the other takes over. */
function cluster() {
  const leaders = new Map([
    [0, 1],
    [1, 2],
  ]);
  const kept: string[] = [];
  const broker = (nodeId: number) => ({
    nodeId,
    produce: async ({ topicData }: Produced): Promise<object> => {
      // After the other has answered.
      await new Promise((resolve) => setTimeout(resolve, nodeId));
      if (nodeId === 2) {
        leaders.set(1, 1);
        throw Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError', retriable: true });
      }
      for (const { partitions } of topicData)
        for (const { partition, messages } of partitions)
          kept.push(...messages.map(({ value }) => `${partition}/${String(value)}`));
      return {
        topics: topicData.map(({ topic, partitions }) => ({
          topicName: topic,
          partitions: partitions.map(({ partition }) => ({ partition, errorCode: 0, baseOffset: '0' })),
        })),
      };
    },
  });
  const brokers = new Map([1, 2].map((nodeId) => [nodeId, broker(nodeId)]));
  const nothing = (): Promise<void> => Promise.resolve();
  const send = createSendMessages({
    logger: { error: () => undefined, debug: () => undefined },
    partitioner: ({ message }: { message: Message }) => message.partition,
    eosManager: {
      ...{ acquireBrokerLock: nothing, releaseBrokerLock: nothing, isTransactional: () => false },
      ...{ getSequence: () => 0, updateSequence: () => undefined, getProducerId: () => 0, getProducerEpoch: () => 0 },
    },
    retrier: async (attempt: (bail: () => void, count: number, time: number) => Promise<unknown>) => {
      for (let count = 0; ; count += 1)
        try {
          return await attempt(() => undefined, count, 0);
        } catch (error) {
          if (count === 5) throw error;
        }
    },
    cluster: {
      ...{ addMultipleTargetTopics: nothing, refreshMetadata: nothing, refreshMetadataIfNecessary: nothing },
      ...{ isConnected: () => true, removeBroker: () => undefined },
      findTopicPartitionMetadata: () => [{ partitionId: 0 }, { partitionId: 1 }],
      findLeaderForPartitions: (_topic: string, partitions: readonly string[]) =>
        Object.groupBy(partitions.map(Number), (partition) => leaders.get(partition) ?? 0),
      findBroker: ({ nodeId }: { nodeId: string }) => Promise.resolve(brokers.get(Number(nodeId))),
    },
  });
  const producer: Pick<Producer, 'send'> = {
    send: ({ topic, messages }) => send({ acks: -1, topicMessages: [{ topic, messages }] }),
  };
  return { producer, kept };
}

const MESSAGES = [
  { partition: 0, value: 'a' },
  { partition: 1, value: 'b' },
];

describe('a request to two brokers, one of which dies while the other has answered and then leads both partitions', () => {
  it('is a success for kafkajs that lacks half of the messages', async () => {
    const { producer, kept } = cluster();
    await producer.send({ topic: 't', messages: MESSAGES });
    expect(kept).toEqual(['0/a']);
  });

  it('is sent until every message is acknowledged', async () => {
    const { producer, kept } = cluster();
    const acknowledged = await sendAll(producer, { topic: 't', messages: MESSAGES });
    expect(kept).toEqual(['0/a', '1/b']);
    expect(acknowledged.map(({ partition }) => partition)).toEqual([0, 1]);
  });
});

describe('a request that nobody acknowledges', () => {
  it.each([[MESSAGES], [[{ value: 'a' }]]])('fails, and is worth another attempt', async (messages) => {
    const producer = { send: () => Promise.resolve([]) };
    await expect(sendAll(producer, { topic: 't', messages })).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      message: `Kafka: no broker acknowledged ${messages.length} messages of t`,
    });
  });
});
