import type { PrincipalName } from './names.ts';

/** A Kafka resource by its part in the system; kafka-acls.ts says which topic or group that is. */
export type KafkaPlace =
  | 'audit topic'
  | 'checkpoints topic'
  | 'all topics'
  | 'own groups'
  | 'all groups'
  | 'cluster'
  | 'data topic'
  | 'dead-letter topic'
  | 'worker group';

export type KafkaOperation =
  'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'ALTER' | 'DESCRIBE' | 'ALTER_CONFIGS' | 'DESCRIBE_CONFIGS';

interface KafkaRight {
  readonly on: KafkaPlace;
  readonly allow?: readonly KafkaOperation[];
  /** Beats every ALLOW, also a wider one. */
  readonly deny?: readonly KafkaOperation[];
}

/** A Cassandra resource by its part in the system; cassandra-grants.ts says which keyspace or table that is. */
export type CassandraPlace =
  | 'data table'
  | 'keys tables'
  /** Only those keys tables whose class the contract lets this principal open. */
  | 'opened keys tables'
  | 'audit keyspace'
  | 'role tables'
  | 'all keyspaces'
  | 'all roles';

export type CassandraPermission = 'SELECT' | 'MODIFY' | 'CREATE' | 'DESCRIBE';

interface CassandraRight {
  readonly on: CassandraPlace;
  readonly grant: readonly CassandraPermission[];
}

/** What a principal's key store holds beside its own signing key. */
export type Holding = 'dataKek' | 'integrity' | 'deadLetterPrivate' | 'checkpoint' | 'naming';

export interface Principal {
  readonly duty: string;
  readonly kafka: readonly KafkaRight[];
  readonly cassandra: readonly CassandraRight[];
  readonly holds: readonly Holding[];
  /** Passes every Kafka ACL and every Cassandra permission; sealed away after set-up. */
  readonly superUser: boolean;
}

const APPENDS_AUDIT: KafkaRight = { on: 'audit topic', allow: ['WRITE'] };
/** A consumer needs a group of its own; it bears the principal's name. */
const READS_FOR_ITSELF: KafkaRight = { on: 'own groups', allow: ['READ'] };

/**
 * Who may do what: the one table that Kafka's ACLs, Cassandra's grants and the key stores are made from.
 * What is not listed is refused. In Kafka, READ and WRITE include DESCRIBE, and WRITE includes the idempotent producer.
 */
export const PRINCIPALS: Readonly<Record<PrincipalName, Principal>> = {
  source: {
    duty: 'reads a source, checks and seals its records, and produces them',
    kafka: [APPENDS_AUDIT, { on: 'data topic', allow: ['WRITE'] }, { on: 'dead-letter topic', allow: ['WRITE'] }],
    cassandra: [{ on: 'keys tables', grant: ['SELECT', 'MODIFY'] }],
    holds: ['dataKek', 'integrity'],
    superUser: false,
  },
  worker: {
    duty: 'consumes, transforms and stores records without being able to open a sealed field',
    kafka: [
      APPENDS_AUDIT,
      { on: 'data topic', allow: ['READ'] },
      { on: 'worker group', allow: ['READ'] },
      { on: 'dead-letter topic', allow: ['WRITE'] },
    ],
    cassandra: [{ on: 'data table', grant: ['SELECT', 'MODIFY'] }],
    holds: ['integrity'],
    superUser: false,
  },
  notary: {
    duty: 'stores each audit event at its place and signs checkpoints',
    kafka: [
      { on: 'audit topic', allow: ['READ', 'WRITE'] },
      { on: 'checkpoints topic', allow: ['READ', 'WRITE'] },
      READS_FOR_ITSELF,
    ],
    cassandra: [{ on: 'audit keyspace', grant: ['SELECT', 'MODIFY'] }],
    holds: ['checkpoint'],
    superUser: false,
  },
  recorder: {
    duty: "turns the servers' own logs into audit events",
    kafka: [APPENDS_AUDIT],
    cassandra: [],
    holds: [],
    superUser: false,
  },
  auditor: {
    duty: 'queries and verifies the audit log',
    kafka: [
      { on: 'audit topic', allow: ['READ', 'WRITE'] },
      { on: 'checkpoints topic', allow: ['READ'] },
      READS_FOR_ITSELF,
    ],
    cassandra: [{ on: 'audit keyspace', grant: ['SELECT'] }],
    holds: [],
    superUser: false,
  },
  reader: {
    duty: 'reads stored records and opens the classes that a contract lets it open',
    kafka: [APPENDS_AUDIT],
    cassandra: [
      { on: 'data table', grant: ['SELECT'] },
      { on: 'opened keys tables', grant: ['SELECT'] },
    ],
    holds: ['dataKek'],
    superUser: false,
  },
  archiver: {
    duty: 'copies topics and snapshots into the backup store',
    kafka: [
      APPENDS_AUDIT,
      { on: 'all topics', allow: ['READ', 'DESCRIBE', 'DESCRIBE_CONFIGS'] },
      { on: 'all groups', allow: ['DESCRIBE'] },
      { on: 'cluster', allow: ['DESCRIBE', 'DESCRIBE_CONFIGS'] },
      READS_FOR_ITSELF,
    ],
    cassandra: [
      { on: 'role tables', grant: ['SELECT'] },
      { on: 'all roles', grant: ['DESCRIBE'] },
    ],
    holds: ['naming'],
    superUser: false,
  },
  operator: {
    duty: 'administers topics, rights and tables, and replays dead letters',
    kafka: [
      { on: 'cluster', allow: ['CREATE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS'] },
      { on: 'all topics', allow: ['CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'ALTER_CONFIGS', 'DESCRIBE_CONFIGS'] },
      { on: 'all groups', allow: ['DESCRIBE'] },
      READS_FOR_ITSELF,
      { on: 'audit topic', allow: ['WRITE'], deny: ['DELETE', 'ALTER', 'ALTER_CONFIGS'] },
      { on: 'checkpoints topic', deny: ['WRITE', 'DELETE', 'ALTER', 'ALTER_CONFIGS'] },
      { on: 'dead-letter topic', allow: ['READ'] },
      // A replay puts a message back on the topic that it came from.
      { on: 'data topic', allow: ['WRITE'] },
    ],
    // Whoever creates a keyspace or table has every right on it. Wider rights would reach into the audit keyspace,
    // and Cassandra cannot deny; rights over roles would let the operator become another principal.
    cassandra: [
      { on: 'all keyspaces', grant: ['CREATE'] },
      { on: 'all roles', grant: ['DESCRIBE'] },
    ],
    holds: ['deadLetterPrivate'],
    superUser: false,
  },
  'break-glass': {
    duty: 'super user for what nobody else may do; each use is an event',
    kafka: [],
    cassandra: [],
    holds: [],
    superUser: true,
  },
};
