import { applyProvision } from '../../../governance/provision/index.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../../security/connect/kafka/kafka.ts';
import { workerGroup } from '../../../security/principals/names.ts';
import { sleep } from '../../../core/clock.ts';
import type { SourceAnswer, SourceWork } from '../processes/source.ts';
import { topicEnds } from '../processes/topic-ends.ts';
import { startChild } from './child.ts';
import type { BenchContract } from './contracts.ts';
import type { Rig } from './rig.ts';

/** Only the super user of the bench's own servers may delete topics and groups. */
const ADMINISTRATOR = 'break-glass';
const DELETION_CHECKS = 100;
const DELETION_INTERVAL = 100;

/** Makes topic, table and rights of a contract where they are missing. */
export async function provision(rig: Rig, { contract }: BenchContract): Promise<void> {
  const { connection, settings } = await rig.servers();
  await applyProvision(connection, contract, { topics: settings.topics });
}

/** Sees to it that the topic holds the first `count` records of the bench, produced by a real source. */
export async function fillTopic(rig: Rig, target: BenchContract, count: number): Promise<void> {
  await provision(rig, target);
  const { connection } = await rig.servers();
  const ends = await topicEnds(kafkaClient(connection, ADMINISTRATOR), target.contract.topic.name);
  const held = Number([...ends.values()].reduce((sum, end) => sum + end, 0n));
  if (held >= count) return;
  rig.report(`producing ${count - held} records to ${target.contract.topic.name}`);
  await produce(rig, target, { skip: held, records: count - held });
}

/** Runs a source over the records of the bench and returns what it measured. */
export async function produce(
  rig: Rig,
  target: BenchContract,
  { skip, records }: Pick<SourceWork, 'skip' | 'records'>,
): Promise<SourceAnswer> {
  const { home } = await rig.servers();
  const path = await rig.records(skip + records);
  const work: SourceWork = { home: home.path, contract: target.path, path, skip, records, perSecond: null };
  const { result } = await startChild<SourceAnswer>('source', { ...work }, rig.options.profile).finished;
  return result;
}

/** Removes the topic with everything on it, and makes it again. */
export async function emptyTopic(rig: Rig, target: BenchContract): Promise<void> {
  const { connection } = await rig.servers();
  const admin = kafkaClient(connection, ADMINISTRATOR).admin();
  const { name } = target.contract.topic;
  await admin.connect();
  try {
    if ((await admin.listTopics()).includes(name)) await admin.deleteTopics({ topics: [name] });
    for (let check = 0; check < DELETION_CHECKS && (await admin.listTopics()).includes(name); check += 1)
      await sleep(DELETION_INTERVAL);
  } finally {
    await admin.disconnect();
  }
  await provision(rig, target);
}

/** Puts the worker's group back to the topic's beginning, and empties the table: a run like the first. */
export async function rewind(rig: Rig, { contract }: BenchContract): Promise<void> {
  const { connection } = await rig.servers();
  const admin = kafkaClient(connection, ADMINISTRATOR).admin();
  await admin.connect();
  try {
    const groupId = workerGroup(contract.id);
    const { groups } = await admin.listGroups();
    if (groups.some((group) => group.groupId === groupId)) await admin.deleteGroups([groupId]);
  } finally {
    await admin.disconnect();
  }
  const cassandra = cassandraClient(connection, ADMINISTRATOR, { readTimeout: 60_000 });
  try {
    await cassandra.execute(`TRUNCATE ${contract.table.keyspace}.${contract.table.name}`);
  } finally {
    await cassandra.shutdown();
  }
}

/** Rows that stand in the contract's table, counted by reading each one's key. */
export async function countRows(rig: Rig, { contract }: BenchContract): Promise<number> {
  const { connection } = await rig.servers();
  const cassandra = cassandraClient(connection, 'worker');
  try {
    const { keyspace, name, clusteringKey } = contract.table;
    const query = `SELECT ${clusteringKey.join(', ')} FROM ${keyspace}.${name}`;
    return await new Promise((resolve, reject) => {
      let count = 0;
      cassandra.eachRow(
        query,
        [],
        { prepare: true, autoPage: true, fetchSize: 5000 },
        () => (count += 1),
        (error) => {
          if ((error as Error | null) === null || (error as Error | undefined) === undefined) resolve(count);
          else reject(error);
        },
      );
    });
  } finally {
    await cassandra.shutdown();
  }
}
