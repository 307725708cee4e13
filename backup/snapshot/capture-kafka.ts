import kafkajs, { type Admin } from 'kafkajs';
import { asKafkaError } from '../../security/connect/kafka/kafka.ts';
import type { Manifest } from '../manifest/manifest.ts';

const {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  ConfigSource,
  ResourcePatternTypes,
} = kafkajs;

type CapturedKafka = Manifest['kafka'];

/** Topics that are the broker's own business. */
const INTERNAL = /^__/;

/**
 * What a backup says of Kafka: what its consumer groups have committed, and its topics and rights. The offsets come
 * first, so that what a group has committed is older than everything else that the backup holds.
 */
export async function captureKafka(admin: Admin): Promise<CapturedKafka> {
  try {
    const groups = await captureGroups(admin);
    return { groups, topics: await captureTopics(admin), acls: await captureAcls(admin) };
  } catch (error) {
    throw asKafkaError(error);
  }
}

async function captureGroups(admin: Admin): Promise<CapturedKafka['groups']> {
  const { groups } = await admin.listGroups();
  const captured = await Promise.all(
    groups.map(async ({ groupId }) => {
      const topics = await admin.fetchOffsets({ groupId });
      const offsets = topics.flatMap(({ topic, partitions }) =>
        partitions
          // Kafka answers -1 for a partition of which the group has committed nothing.
          .filter(({ offset }) => Number(offset) >= 0)
          .map(({ partition, offset, metadata }) => ({ topic, partition, offset: Number(offset), metadata })),
      );
      return { id: groupId, offsets: offsets.toSorted(byTopicAndPartition) };
    }),
  );
  return captured.filter(({ offsets }) => offsets.length > 0).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function byTopicAndPartition(a: { topic: string; partition: number }, b: { topic: string; partition: number }): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1;
}

async function captureTopics(admin: Admin): Promise<CapturedKafka['topics']> {
  const names = (await admin.listTopics()).filter((name) => !INTERNAL.test(name)).toSorted();
  if (names.length === 0) return [];
  const [{ topics }, { resources }] = await Promise.all([
    admin.fetchTopicMetadata({ topics: names }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    }),
  ]);
  const offsets = await Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
  return names.map((name, index) => {
    const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
    const own = entries.filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG);
    const partitions = topics.find((topic) => topic.name === name)?.partitions ?? [];
    return {
      name,
      replicationFactor: Math.max(1, ...partitions.map(({ replicas }) => replicas.length)),
      configuration: Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
      partitions: (offsets[index] ?? [])
        .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
        .toSorted((a, b) => a.partition - b.partition),
    };
  });
}

async function captureAcls(admin: Admin): Promise<CapturedKafka['acls']> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  });
  const acls = resources.flatMap(({ resourceType, resourceName, resourcePatternType, acls: rules }) =>
    rules.map(({ principal, operation, permissionType }) => ({
      principal,
      resource: `${nameIn(AclResourceTypes, resourceType)} ${resourceName}`,
      pattern: nameIn(ResourcePatternTypes, resourcePatternType),
      operation: nameIn(AclOperationTypes, operation),
      permission: nameIn(AclPermissionTypes, permissionType),
    })),
  );
  return acls.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** kafkajs' enumerations are objects both ways: of the name to the number, and of the number to the name. */
function nameIn(enumeration: Readonly<Record<string | number, string | number>>, value: number): string {
  return String(enumeration[value] ?? value);
}
