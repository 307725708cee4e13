import type { Admin } from 'kafkajs';
import type { Connection } from '../../core/connection.ts';
import type { Home } from '../../core/home.ts';
import { copiesAmong, inSyncOf } from '../../core/replication.ts';
import { createTopics } from '../../security/connect/kafka/create-topics.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { aclEntries, kafkaAcls } from '../../security/principals/kafka-acls.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC } from '../../security/principals/names.ts';
import { whenReady } from '../life/ready.ts';

/** Kept for ever, in one order, stamped by the broker: the two topics that prove what happened. */
const AUDIT_TOPIC_CONFIGURATION = {
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'min.insync.replicas': '1',
  'message.timestamp.type': 'LogAppendTime',
  // On disk before it is acknowledged: events are few, and they are what everything else waits for.
  'flush.messages': '1',
} as const;

/** The topics and ACLs that hold before any contract does, as rows; they are what `provisionKafka` makes. */
export const KAFKA_BASE = {
  topics: [AUDIT_TOPIC, CHECKPOINTS_TOPIC],
  configuration: AUDIT_TOPIC_CONFIGURATION,
  acls: kafkaAcls({ kind: 'base' }),
} as const;

/**
 * Makes the audit topics, on as many of `nodes` brokers as there are to be copies, and gives every principal its base
 * rights. Needs a super user; does no harm when called again.
 * Kafka's own error leaves it where something else is wrong.
 */
export async function provisionKafka(admin: Admin, nodes = 1): Promise<void> {
  // Rights first: a broker that knows a topic then knows who may use it.
  await admin.createAcls({ acl: aclEntries(KAFKA_BASE.acls) });
  const existing = new Set(await admin.listTopics());
  const missing = KAFKA_BASE.topics.filter((topic) => !existing.has(topic));
  if (missing.length > 0) {
    const replicationFactor = copiesAmong(nodes);
    const configuration = { ...KAFKA_BASE.configuration, 'min.insync.replicas': String(inSyncOf(replicationFactor)) };
    const configEntries = Object.entries(configuration).map(([name, value]) => ({ name, value }));
    await createTopics(
      admin,
      missing.map((topic) => ({ topic, numPartitions: 1, replicationFactor, configEntries })),
    );
  }
}

/** Whether somebody deleted one of the audit topics. Waits until Kafka answers; asks as the operator. */
export async function auditTopicsMissing(home: Home, connection: Connection): Promise<boolean> {
  await whenReady(home, 'kafka', [connection], 'operator');
  const admin = kafkaClient(connection, 'operator', { clientId: 'wardline-bootstrap' }).admin();
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    return KAFKA_BASE.topics.some((topic) => !existing.has(topic));
  } catch (error) {
    throw asKafkaError(error);
  } finally {
    await admin.disconnect();
  }
}
