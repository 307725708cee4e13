import type { Client } from 'cassandra-driver';
import type { Admin } from 'kafkajs';
import { sleep } from '../../core/clock.ts';
import type { Settings } from '../../core/configuration.ts';
import type { Connection } from '../../core/connection.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { createTopics } from '../../security/connect/kafka/create-topics.ts';
import { asKafkaError, kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { KEYS_KEYSPACE } from '../../security/principals/names.ts';
import type { CompiledContract } from '../contract/compiled.ts';
import { readCassandraFacts } from './cassandra-facts.ts';
import { readKafkaFacts } from './kafka-facts.ts';
import { compareWithServers } from './compare.ts';
import type { Change, Conflict } from './plan.ts';

/** Schema changes can take longer than a read, in milliseconds. */
const SCHEMA_TIMEOUT = 60_000;
const AGREEMENT_ATTEMPTS = 300;
const AGREEMENT_INTERVAL = 100;

interface Servers {
  readonly admin: Admin;
  readonly client: Client;
}

type ProvisionSettings = Pick<Settings, 'topics'>;

/**
 * What a contract needs and the servers lack, as the operator sees it; changes nothing.
 * Throws CONTRACT_CONFLICT where something stands that does not fit, and KAFKA_… or CASSANDRA_… errors.
 */
export async function planProvision(
  connection: Connection,
  contract: CompiledContract,
  settings: ProvisionSettings,
): Promise<readonly Change[]> {
  return withServers(connection, (servers) => changesFor(servers, connection, contract, settings));
}

/**
 * Makes the servers ready for a contract, with the operator's rights: topics, keyspaces, tables, keys tables, ACLs and grants.
 * Compares first and makes only what is missing, so it does no harm when called again, after a failure at any point, or at
 * the same time by another. Resolves with the changes made when all nodes agree on the schema; grants are in force within
 * the servers' cache time (2 s). Throws what `planProvision` throws; a conflict is found before anything is changed.
 */
export async function applyProvision(
  connection: Connection,
  contract: CompiledContract,
  settings: ProvisionSettings,
  report: (change: Change) => void = () => undefined,
): Promise<readonly Change[]> {
  return withServers(connection, async (servers) => {
    const changes = await changesFor(servers, connection, contract, settings);
    changes.forEach(report);
    await apply(changes, servers);
    return changes;
  });
}

async function changesFor(
  { admin, client }: Servers,
  connection: Connection,
  contract: CompiledContract,
  { topics }: ProvisionSettings,
): Promise<readonly Change[]> {
  const [kafka, cassandra] = await Promise.all([
    readKafkaFacts(admin, [contract.topic.name, contract.topic.deadLetterName]).catch(kafkaFailed),
    readCassandraFacts(client, [contract.table.keyspace, KEYS_KEYSPACE]).catch(cassandraFailed),
  ]);
  const { changes, conflicts } = compareWithServers(
    contract,
    { kafka, cassandra },
    { topics, usernameOf: (principal) => connection.principals[principal]?.username ?? principal },
  );
  if (conflicts.length > 0) throw contractConflict(contract, conflicts);
  return changes;
}

function contractConflict(contract: CompiledContract, conflicts: readonly Conflict[]): WardlineError {
  const lines = conflicts.map(({ object, problem }) => `  ${object}: ${problem}`);
  return new WardlineError(
    'CONTRACT_CONFLICT',
    [`the contract ${contract.id} ${contract.version} does not fit what stands on the servers:`, ...lines].join('\n'),
    { hint: [...new Set(conflicts.map(({ remedy }) => remedy))].join('; ') },
  );
}

/** Kafka's parts in one request each, schema changes one after another, grants together once their tables stand. */
async function apply(changes: readonly Change[], { admin, client }: Servers): Promise<void> {
  const topics = changes.flatMap((change) => (change.kind === 'topic' ? [change.topic] : []));
  const acl = changes.flatMap((change) => (change.kind === 'acl' ? [change.acl] : []));
  // Rights come first: brokers learn of changes in their order, so one that knows a topic knows who may use it.
  if (acl.length > 0) await admin.createAcls({ acl }).catch(kafkaFailed);
  if (topics.length > 0) await createTopics(admin, topics).catch(kafkaFailed);
  const statements = changes.flatMap((change) => ('cql' in change ? [change] : []));
  const isRight = ({ kind }: Change): boolean => kind === 'grant' || kind === 'revoke';
  for (const { cql } of statements.filter((change) => !isRight(change)))
    await client.execute(cql).catch(cassandraFailed);
  if (statements.length > 0) await schemaAgreement(client);
  const rights = statements.filter(isRight).map(({ cql }) => client.execute(cql));
  await Promise.all(rights).catch(cassandraFailed);
}

async function schemaAgreement(client: Client): Promise<void> {
  for (let attempt = 0; attempt < AGREEMENT_ATTEMPTS; attempt += 1) {
    const results = await Promise.all(
      ['system.local', 'system.peers_v2'].map((table) => client.execute(`SELECT schema_version FROM ${table}`)),
    ).catch(cassandraFailed);
    if (new Set(results.flatMap(({ rows }) => rows.map((row) => String(row['schema_version'])))).size <= 1) return;
    await sleep(AGREEMENT_INTERVAL);
  }
  throw new WardlineError('CASSANDRA_UNREACHABLE', 'the nodes do not agree on the schema', {
    hint: 'see that all nodes are up, then apply the contract again',
  });
}

async function withServers<T>(connection: Connection, work: (servers: Servers) => Promise<T>): Promise<T> {
  const admin = kafkaClient(connection, 'operator', { clientId: 'wardline-provision' }).admin();
  const client = cassandraClient(connection, 'operator', { readTimeout: SCHEMA_TIMEOUT, connectionsPerHost: 1 });
  try {
    await Promise.all([admin.connect().catch(kafkaFailed), client.connect().catch(cassandraFailed)]);
    return await work({ admin, client });
  } finally {
    await Promise.allSettled([admin.disconnect(), client.shutdown()]);
  }
}

function kafkaFailed(error: unknown): never {
  throw asKafkaError(error);
}

function cassandraFailed(error: unknown): never {
  throw asCassandraError(error);
}
