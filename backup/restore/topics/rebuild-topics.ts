import type { Kafka } from 'kafkajs';
import type { Clock } from '../../../core/clock.ts';
import type { CompiledContract } from '../../../governance/contract/compiled.ts';
import { asKafkaError } from '../../../security/connect/kafka/kafka.ts';
import { CHECKPOINTS_TOPIC, workerGroup, type PrincipalName } from '../../../security/principals/names.ts';
import type { ReadArchiveOptions } from '../../archive/read/read-archive.ts';
import type { Manifest } from '../../manifest/manifest.ts';
import { committedWhenBackedUp } from '../committed.ts';
import { commitOffsets } from './commit-offsets.ts';
import { fillTopic, type FilledPartition, type FillParts } from './fill-topic.ts';
import { ensureTopic, withOwnTimes } from './topic-settings.ts';

export interface RebuildParts {
  readonly manifest: Manifest;
  readonly archive: Omit<ReadArchiveOptions, 'from' | 'to' | 'onGap' | 'topic'>;
  readonly kafkaOf: (principal: PrincipalName) => Kafka;
  /** Gives principals their rights on a contract's topics. */
  readonly provision: (contract: CompiledContract) => Promise<unknown>;
  readonly clock: Clock;
  readonly onStep: (step: string) => void;
}

export interface RebuiltTopic {
  readonly topic: string;
  /** Messages that it holds now. */
  readonly messages: number;
}

/**
 * Makes the topics of these contracts again and fills them from the archive, then has each contract's workers go on behind
 * all of it: the rows of these messages MUST be stored already. Kafka must have been lost: what others put on a topic
 * meanwhile is refused. An earlier call that was cut short is gone on with.
 */
export async function rebuildTopics(
  parts: RebuildParts,
  contracts: readonly CompiledContract[],
): Promise<readonly RebuiltTopic[]> {
  const rebuilt: RebuiltTopic[] = [];
  for (const contract of contracts) {
    const group = workerGroup(contract.id);
    const { name, deadLetterName } = contract.topic;
    const topics = parts.manifest.kafka.topics.filter((topic) => topic.name === name || topic.name === deadLetterName);
    const { store, install, identities, verify: trusted } = parts.archive;
    const archive = { store, install, identities, trusted };
    const { incarnationOf } = await committedWhenBackedUp(archive, parts.manifest, contract);
    await withAdmin(parts, async (admin) => {
      for (const topic of topics) await ensureTopic(admin, topic);
      await parts.provision(contract);
      for (const topic of topics) {
        parts.onStep(`${topic.name}: filling it again`);
        const filled = await withOwnTimes(admin, topic, () =>
          fillTopic(fillParts(parts, 'source'), {
            ...{ topic: topic.name, partitions: topic.partitions.length, strangers: false },
            // No row names a place of the dead letters' topic.
            incarnationOf: topic.name === name ? incarnationOf : ownName,
            notBefore: notBefore(topic.configuration, parts.clock.now()),
            onProgress: (messages) => parts.onStep(`${topic.name}: ${messages} messages filled again`),
          }),
        );
        if (topic.name === name) await commitOffsets(parts.kafkaOf('worker'), group, name, filled);
        rebuilt.push({ topic: topic.name, messages: total(filled) });
      }
    });
  }
  return rebuilt;
}

/** The same for the topic of checkpoints, which is there already, and which only the notary writes to. */
export async function refillCheckpoints(parts: Omit<RebuildParts, 'provision'>): Promise<RebuiltTopic> {
  const filled = await fillTopic(fillParts(parts, 'notary'), {
    ...{ topic: CHECKPOINTS_TOPIC, partitions: 1, strangers: true, notBefore: 0 },
    incarnationOf: ownName,
  });
  return { topic: CHECKPOINTS_TOPIC, messages: total(filled) };
}

function fillParts({ archive, kafkaOf }: Pick<RebuildParts, 'archive' | 'kafkaOf'>, writer: PrincipalName): FillParts {
  return { archive, reader: { kafka: kafkaOf('archiver'), principal: 'archiver' }, writer: kafkaOf(writer) };
}

function ownName(_partition: number, life: string): string {
  return life;
}

function notBefore(configuration: Readonly<Record<string, string>>, now: number): number {
  const retention = Number(configuration['retention.ms'] ?? -1);
  return retention < 0 ? 0 : now - retention;
}

function total(partitions: readonly FilledPartition[]): number {
  return partitions.reduce((sum, { next }) => sum + next, 0);
}

async function withAdmin(
  { kafkaOf }: Pick<RebuildParts, 'kafkaOf'>,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<void>,
): Promise<void> {
  const admin = kafkaOf('operator').admin();
  try {
    await admin.connect();
    await work(admin);
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
