import kafkajs, { type AclEntry, type Admin } from 'kafkajs';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } = kafkajs;

export interface TopicFacts {
  readonly partitions: number;
  readonly configuration: ReadonlyMap<string, string>;
}

export interface KafkaFacts {
  readonly brokers: number;
  /** Those of the topics asked for that exist. */
  readonly topics: ReadonlyMap<string, TopicFacts>;
  /** Every ACL, by `aclKey`. */
  readonly acls: ReadonlySet<string>;
}

/** Identifies an ACL: Kafka stores each combination once. */
export function aclKey(entry: AclEntry): string {
  const { resourceType, resourceName, resourcePatternType, principal, host, operation, permissionType } = entry;
  return JSON.stringify([resourceType, resourceName, resourcePatternType, principal, host, operation, permissionType]);
}

/** Reads what a plan needs to know of Kafka. Needs DESCRIBE on the cluster and DESCRIBE_CONFIGS on the topics. */
export async function readKafkaFacts(admin: Admin, topics: readonly string[]): Promise<KafkaFacts> {
  const { brokers } = await admin.describeCluster();
  const existing = new Set(await admin.listTopics());
  const present = topics.filter((topic) => existing.has(topic));
  return { brokers: brokers.length, topics: await topicFacts(admin, present), acls: await existingAcls(admin) };
}

async function topicFacts(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>> {
  if (topics.length === 0) return new Map();
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    metadata.topics.map(({ name, partitions }) => {
      const entries = resources.find((resource) => resource.resourceName === name)?.configEntries ?? [];
      const configuration = new Map(entries.map((entry) => [entry.configName, entry.configValue]));
      return [name, { partitions: partitions.length, configuration }];
    }),
  );
}

async function existingAcls(admin: Admin): Promise<ReadonlySet<string>> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  });
  return new Set(
    resources.flatMap(({ resourceType, resourceName, resourcePatternType, acls }) =>
      acls.map((acl) => aclKey({ resourceType, resourceName, resourcePatternType, ...acl })),
    ),
  );
}
