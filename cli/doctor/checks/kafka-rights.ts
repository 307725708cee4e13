import kafkajs, { type Admin } from 'kafkajs';
import { asKafkaError, kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC, type PrincipalName } from '../../../security/principals/names.ts';
import { PRINCIPALS, type KafkaPlace } from '../../../security/principals/table.ts';
import type { WardlineError } from '../../../core/errors/errors.ts';
import {
  failed,
  held,
  notTried,
  triedPrincipals,
  type Check,
  type CheckGroup,
  type Patient,
  type Result,
} from '../check.ts';

/** More than any topic takes in one message: who may write is told that it is too large, who may not is refused first. */
const TOO_LARGE_BYTES = 8 * 1024 * 1024;
const TOO_LARGE = /larger than|too large|MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/i;
const REMEDY = 'give the rights of the table of principals, and no others: wardline principals shows them';

interface Topic {
  readonly name: string;
  readonly place: KafkaPlace;
}

/** What nobody may do to the topics that prove what happened. None of these changes anything where it is let through. */
const TAMPERING: readonly {
  name: string;
  title: string;
  attempt: (admin: Admin, topic: string) => Promise<unknown>;
}[] = [
  {
    name: 'empties',
    title: 'deletes records from',
    attempt: async (admin, topic) => {
      // Up to the first that is there. kafkajs deletes from topics only that it has asked about before.
      const [bounds] = await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: bounds?.low ?? '0' }] });
    },
  },
  {
    name: 'reconfigures',
    title: 'reconfigures',
    attempt: (admin, topic) =>
      admin.alterConfigs({
        validateOnly: true,
        resources: [
          {
            ...{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic },
            configEntries: [{ name: 'retention.ms', value: '1' }],
          },
        ],
      }),
  },
  {
    name: 'adds-partitions',
    title: 'adds partitions to',
    attempt: (admin, topic) => admin.createPartitions({ validateOnly: true, topicPartitions: [{ topic, count: 2 }] }),
  },
];

/** Each principal tries what its row of the table does not give. */
export const kafkaRightsChecks: CheckGroup = (patient) => {
  const { contracts } = patient;
  const topics: readonly Topic[] = [
    { name: AUDIT_TOPIC, place: 'audit topic' },
    { name: CHECKPOINTS_TOPIC, place: 'checkpoints topic' },
    ...contracts.flatMap(({ topic }): Topic[] => [
      { name: topic.name, place: 'data topic' },
      { name: topic.deadLetterName, place: 'dead-letter topic' },
    ]),
  ];
  return Promise.resolve([
    writeControl(patient),
    ...triedPrincipals(patient).flatMap((principal): Check[] => [
      {
        id: `kafka-rights/${principal}/writes`,
        title: `Kafka: ${principal} writes to no topic but its own`,
        remedy: REMEDY,
        attempt: async () => {
          const forbidden = topics.filter(({ place }) => !mayWrite(principal, place));
          return none(forbidden, async ({ name }) => writeOutcome(patient, principal, name));
        },
      },
      ...TAMPERING.map(({ name, title, attempt }): Check => ({
        id: `kafka-rights/${principal}/${name}`,
        title: `Kafka: ${principal} never ${title} an audit topic`,
        remedy: REMEDY,
        attempt: () =>
          none(topics.slice(0, 2), ({ name: topic }) => asAdmin(patient, principal, (admin) => attempt(admin, topic))),
      })),
    ]),
  ]);
};

/** That who may write is not refused: otherwise the refusals would prove nothing. */
function writeControl(patient: Patient): Check {
  return {
    id: 'kafka-rights/control',
    title: 'Kafka: who may write is told that the message is too large, and nothing else',
    remedy: REMEDY,
    attempt: async () => {
      if (patient.connection.principals['recorder'] === undefined) return notTried('the recorder is not of this home');
      const error = await writeOutcome(patient, 'recorder', AUDIT_TOPIC);
      if (error === undefined) return failed(`${AUDIT_TOPIC} took a message of ${TOO_LARGE_BYTES} bytes`);
      return TOO_LARGE.test(error.message) ? held(error.message) : failed(error.message);
    },
  };
}

function mayWrite(principal: PrincipalName, place: KafkaPlace): boolean {
  return PRINCIPALS[principal].kafka.some(
    ({ on, allow, deny }) => on === place && allow?.includes('WRITE') === true && deny?.includes('WRITE') !== true,
  );
}

/** Whether each attempt is refused. */
async function none(
  topics: readonly Topic[],
  attempt: (topic: Topic) => Promise<WardlineError | undefined>,
): Promise<Result> {
  for (const topic of topics) {
    const error = await attempt(topic);
    if (error === undefined) return failed(`${topic.name}: it was let through`);
    if (error.code !== 'KAFKA_REFUSED') return failed(`${topic.name}: ${error.message}`);
  }
  return held(`refused on ${topics.length} topics`);
}

async function asAdmin(
  { connection }: Patient,
  principal: PrincipalName,
  work: (admin: Admin) => Promise<unknown>,
): Promise<WardlineError | undefined> {
  const admin = kafkaClient(connection, principal).admin({ retry: { retries: 0 } });
  try {
    await admin.connect();
    await work(admin);
    return undefined;
  } catch (error) {
    return asKafkaError(error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function writeOutcome(
  { connection }: Patient,
  principal: PrincipalName,
  topic: string,
): Promise<WardlineError | undefined> {
  const producer = kafkaClient(connection, principal).producer({
    allowAutoTopicCreation: false,
    retry: { retries: 0 },
  });
  try {
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [{ value: Buffer.alloc(TOO_LARGE_BYTES) }] });
    return undefined;
  } catch (error) {
    return asKafkaError(error);
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}
