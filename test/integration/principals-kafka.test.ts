import kafkajs, { type Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { aclEntries, kafkaAcls } from '../../security/principals/kafka-acls.ts';
import {
  AUDIT_TOPIC,
  CHECKPOINTS_TOPIC,
  ownGroup,
  PRINCIPAL_NAMES,
  type PrincipalName,
} from '../../security/principals/names.ts';
import { withStack } from '../support/stack.ts';

const { connection } = withStack();
const DATA = 'principals-data';
const DEAD_LETTERS = `${DATA}.dead-letters`;
const WORKER_GROUP = 'wardline.worker.principals';
/** Everybody may join this group, so that only the right to the topic decides whether a read succeeds. */
const OPEN_GROUP = 'test.principals';

const TOPICS = [AUDIT_TOPIC, CHECKPOINTS_TOPIC, DATA, DEAD_LETTERS];

/** What the table of principals says, once more and by hand. */
const MAY: Readonly<Record<PrincipalName, { readonly write: readonly string[]; readonly read: readonly string[] }>> = {
  source: { write: [AUDIT_TOPIC, DATA, DEAD_LETTERS], read: [] },
  worker: { write: [AUDIT_TOPIC, DEAD_LETTERS], read: [DATA] },
  notary: { write: [AUDIT_TOPIC, CHECKPOINTS_TOPIC], read: [AUDIT_TOPIC, CHECKPOINTS_TOPIC] },
  recorder: { write: [AUDIT_TOPIC], read: [] },
  auditor: { write: [AUDIT_TOPIC], read: [AUDIT_TOPIC, CHECKPOINTS_TOPIC] },
  reader: { write: [AUDIT_TOPIC], read: [] },
  archiver: { write: [AUDIT_TOPIC], read: TOPICS },
  operator: { write: [AUDIT_TOPIC, DATA], read: [DEAD_LETTERS] },
  'break-glass': { write: TOPICS, read: TOPICS },
};

const DESCRIBE_GROUPS: readonly PrincipalName[] = ['archiver', 'operator'];
const OWN_GROUPS: readonly PrincipalName[] = ['notary', 'auditor', 'archiver', 'operator'];

async function asAdmin<T>(principal: PrincipalName, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaClient(connection, principal).admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return asKafkaError(error).code;
  }
}

async function write(principal: PrincipalName, topic: string): Promise<void> {
  const producer = kafkaClient(connection, principal).producer({ idempotent: true, allowAutoTopicCreation: false });
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [{ key: 'k', value: `by ${principal}` }] });
  } finally {
    await producer.disconnect();
  }
}

/** Reads one message, or throws what the broker says. */
async function read(principal: PrincipalName, topic: string, groupId: string): Promise<void> {
  const consumer = kafkaClient(connection, principal).consumer({
    groupId,
    retry: { retries: 2, restartOnFailure: () => Promise.resolve(false) },
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachMessage: () => {
            resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}

beforeAll(async () => {
  const contract = { kind: 'contract', topic: DATA, deadLetterTopic: DEAD_LETTERS, workerGroup: WORKER_GROUP } as const;
  await asAdmin('operator', async (admin) => {
    await admin.createTopics({
      topics: [
        { topic: DATA, numPartitions: 1 },
        { topic: DEAD_LETTERS, numPartitions: 1 },
      ],
    });
    await admin.createAcls({ acl: aclEntries(kafkaAcls(contract)) });
  });
  await asAdmin('break-glass', (admin) =>
    admin.createAcls({
      acl: [
        {
          resourceType: kafkajs.AclResourceTypes.GROUP,
          resourceName: OPEN_GROUP,
          resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
          principal: 'User:*',
          host: '*',
          operation: kafkajs.AclOperationTypes.READ,
          permissionType: kafkajs.AclPermissionTypes.ALLOW,
        },
      ],
    }),
  );
  for (const topic of TOPICS) await write('break-glass', topic);
});

afterAll(async () => {
  await asAdmin('break-glass', async (admin) => {
    await admin.deleteTopics({ topics: [DEAD_LETTERS] });
    await admin.deleteAcls({
      filters: [
        {
          resourceType: kafkajs.AclResourceTypes.GROUP,
          resourceName: OPEN_GROUP,
          resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
          operation: kafkajs.AclOperationTypes.ANY,
          permissionType: kafkajs.AclPermissionTypes.ANY,
        },
      ],
    });
  });
});

describe.each(PRINCIPAL_NAMES)('%s', (principal) => {
  it('writes the topics of its row, and no other', async () => {
    const outcomes = await Promise.all(TOPICS.map((topic) => outcome(() => write(principal, topic))));
    const expected = TOPICS.map((topic) => (MAY[principal].write.includes(topic) ? 'done' : 'KAFKA_REFUSED'));
    expect(outcomes).toEqual(expected);
  });

  it('reads the topics of its row, and no other', async () => {
    const outcomes = await Promise.all(
      TOPICS.map((topic) => outcome(() => read(principal, topic, `${OPEN_GROUP}.${principal}.${topic}`))),
    );
    const expected = TOPICS.map((topic) => (MAY[principal].read.includes(topic) ? 'done' : 'KAFKA_REFUSED'));
    expect(outcomes).toEqual(expected);
  });

  it('joins no group but its own', async () => {
    if (principal === 'break-glass') return;
    // A topic that the principal may at least describe, so that it is the group that decides.
    const [topic] = MAY[principal].read;
    const inGroup = (group: string): Promise<string> => outcome(() => read(principal, topic ?? AUDIT_TOPIC, group));
    // To whoever may not even describe a group, kafkajs says "Failed to find group coordinator".
    const refusal = DESCRIBE_GROUPS.includes(principal) ? 'KAFKA_REFUSED' : 'KAFKA_UNREACHABLE';
    expect(await inGroup('somebody-elses')).toBe(refusal);
    expect(await inGroup(WORKER_GROUP)).toBe(principal === 'worker' ? 'done' : refusal);
    if (OWN_GROUPS.includes(principal)) expect(await inGroup(`${ownGroup(principal)}.test`)).toBe('done');
  });
});

/** What would remove, reconfigure or reopen an audit topic. */
const TAMPERING: readonly [string, (admin: Admin, topic: string) => Promise<unknown>][] = [
  [
    'empties',
    async (admin, topic) => {
      // kafkajs deletes records only of topics that it has asked about before.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
    },
  ],
  [
    'reconfigures',
    (admin, topic) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: topic,
            configEntries: [{ name: 'retention.ms', value: '1' }],
          },
        ],
      }),
  ],
  ['adds partitions to', (admin, topic) => admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })],
  ['deletes', (admin, topic) => admin.deleteTopics({ topics: [topic] })],
];

describe.each(PRINCIPAL_NAMES.filter((name) => name !== 'break-glass'))('nobody: %s', (principal) => {
  it.each(TAMPERING)('%s an audit topic', async (_name, tamper) => {
    for (const topic of [AUDIT_TOPIC, CHECKPOINTS_TOPIC])
      expect(await outcome(() => asAdmin(principal, (admin) => tamper(admin, topic)))).toBe('KAFKA_REFUSED');
  });
});

describe.each(PRINCIPAL_NAMES.filter((name) => name !== 'break-glass' && name !== 'operator'))('%s', (principal) => {
  it('administers nothing', async () => {
    const attempts: readonly ((admin: Admin) => Promise<unknown>)[] = [
      (admin) => admin.createTopics({ topics: [{ topic: `principals-by-${principal}`, numPartitions: 1 }] }),
      ...TAMPERING.map(
        ([, tamper]) =>
          (admin: Admin) =>
            tamper(admin, DATA),
      ),
      (admin) => admin.createAcls({ acl: aclEntries(kafkaAcls({ kind: 'base' })) }),
    ];
    for (const attempt of attempts) expect(await outcome(() => asAdmin(principal, attempt))).toBe('KAFKA_REFUSED');
  });
});

describe('operator', () => {
  it.each(TAMPERING)(
    '%s a data topic, which is what shows that the attempts above were real',
    async (_name, tamper) => {
      expect(await outcome(() => asAdmin('operator', (admin) => tamper(admin, DATA)))).toBe('done');
    },
  );
});
