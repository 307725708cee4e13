import type { AclEntry } from 'kafkajs';
import { MESSAGE_LIMIT_BYTES } from '../../core/limits.ts';
import { inSyncOf } from '../../core/replication.ts';
import { aclEntries, kafkaAcls } from '../../security/principals/kafka-acls.ts';
import { workerGroup } from '../../security/principals/names.ts';
import type { CompiledContract } from '../contract/compiled.ts';
import { aclKey, type KafkaFacts, type TopicFacts } from './kafka-facts.ts';
import type { Change, Conflict, ProvisionPlan, ProvisionSettings } from './plan.ts';

/** Settings of a topic that an existing one must share, because the pipeline's guarantees rest on them. */
const BINDING = ['retention.ms', 'cleanup.policy', 'message.timestamp.type'] as const;

/** Topics and ACLs that a contract needs and Kafka lacks. */
export function planKafka(contract: CompiledContract, facts: KafkaFacts, settings: ProvisionSettings): ProvisionPlan {
  const changes: Change[] = [];
  const conflicts: Conflict[] = [];
  const { partitions, replicationFactor } = settings.topics;
  if (replicationFactor > facts.brokers) {
    conflicts.push({
      object: 'topics.replicationFactor',
      problem: `${replicationFactor} replicas need as many brokers, and there are ${facts.brokers}`,
      remedy: 'lower topics.replicationFactor in wardline.yaml, or add brokers',
    });
  }
  const configuration = topicConfiguration(contract, replicationFactor);
  for (const topic of [contract.topic.name, contract.topic.deadLetterName]) {
    const existing = facts.topics.get(topic);
    if (existing === undefined) changes.push(topicChange(topic, partitions, replicationFactor, configuration));
    else conflicts.push(...topicConflicts(topic, existing, configuration));
  }
  return { changes: [...changes, ...aclChanges(contract, facts, settings)], conflicts };
}

function topicChange(
  topic: string,
  partitions: number,
  replicationFactor: number,
  configuration: Readonly<Record<string, string>>,
): Change {
  const entries = Object.entries(configuration);
  const settings = entries.map(([name, value]) => `${name}=${value}`).join(' ');
  return {
    kind: 'topic',
    name: topic,
    detail: `create with ${partitions} partitions, ${replicationFactor} replicas, ${settings}`,
    topic: {
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: entries.map(([name, value]) => ({ name, value })),
    },
  };
}

/** What a contract's topics are made with. */
export function topicConfiguration(
  contract: Pick<CompiledContract, 'topic'>,
  replicationFactor: number,
): Readonly<Record<string, string>> {
  return {
    'retention.ms': String(contract.topic.retentionMilliseconds ?? -1),
    'retention.bytes': '-1',
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(MESSAGE_LIMIT_BYTES),
    'min.insync.replicas': String(inSyncOf(replicationFactor)),
  };
}

/**
 * An existing topic is never reconfigured: the request that this client knows replaces a topic's whole set of settings, and
 * would put what others set back to its default.
 */
function topicConflicts(
  topic: string,
  { configuration: actual }: TopicFacts,
  wanted: Readonly<Record<string, string>>,
): Conflict[] {
  const conflict = (name: string, value: string | undefined): Conflict => ({
    object: `topic ${topic}`,
    problem: `${name} is ${value ?? 'not known'}, and the contract needs ${wanted[name] ?? ''}`,
    remedy: `change it with Kafka's own tool: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${wanted[name] ?? ''}`,
  });
  const different = BINDING.filter((name) => actual.get(name) !== wanted[name]);
  const tooSmall = Number(actual.get('max.message.bytes')) < MESSAGE_LIMIT_BYTES ? ['max.message.bytes'] : [];
  return [...different, ...tooSmall].map((name) => conflict(name, actual.get(name)));
}

function aclChanges(contract: CompiledContract, facts: KafkaFacts, { usernameOf }: ProvisionSettings): Change[] {
  const acls = kafkaAcls({
    kind: 'contract',
    topic: contract.topic.name,
    deadLetterTopic: contract.topic.deadLetterName,
    workerGroup: workerGroup(contract.id),
  });
  const entries: readonly AclEntry[] = aclEntries(acls, usernameOf);
  return acls.flatMap((acl, index): Change[] => {
    const entry = entries[index];
    if (entry === undefined || facts.acls.has(aclKey(entry))) return [];
    const verb = acl.permission === 'ALLOW' ? 'allow' : 'deny';
    const detail = `${verb} ${entry.principal} ${acl.operation} on ${acl.resource.type.toLowerCase()} ${acl.resource.name}`;
    return [{ kind: 'acl', name: acl.resource.name, detail, acl: entry }];
  });
}
