import { aclArguments } from './acl-arguments.ts';
import { grantStatement } from '../../security/principals/cassandra-grants.ts';
import { PRINCIPAL_NAMES, type PrincipalName } from '../../security/principals/names.ts';
import { PRINCIPALS } from '../../security/principals/table.ts';
import { AUDIT_KEYSPACE_STATEMENT, CASSANDRA_BASE } from './cassandra-roles.ts';
import { KAFKA_BASE } from './kafka-access.ts';

/** What servers need before any contract, for whoever administers them: the same rows that `up` applies to its own. */
export interface ByHand {
  /** SASL names, which need SCRAM-SHA-512 credentials. */
  readonly users: readonly string[];
  /** Arguments of `kafka-topics.sh`, one line a topic. */
  readonly topics: readonly string[];
  /** Arguments of `kafka-acls.sh`, one line a rule. */
  readonly acls: readonly string[];
  /** CQL, to be run in this order by a superuser. Roles are made without a password. */
  readonly cql: readonly string[];
}

/** Lists it. `usernameOf` gives the name under which the servers know a principal. Holds no secret. */
export function setUpByHand(usernameOf: (principal: PrincipalName) => string): ByHand {
  const configuration = Object.entries(KAFKA_BASE.configuration).map(([name, value]) => `--config ${name}=${value}`);
  const roles = PRINCIPAL_NAMES.map(
    (name) =>
      `CREATE ROLE IF NOT EXISTS "${usernameOf(name)}" WITH LOGIN = true AND SUPERUSER = ${PRINCIPALS[name].superUser};`,
  );
  return {
    users: PRINCIPAL_NAMES.map(usernameOf),
    topics: KAFKA_BASE.topics.map((topic) =>
      ['--create', '--if-not-exists', '--topic', topic, '--partitions 1', ...configuration].join(' '),
    ),
    acls: KAFKA_BASE.acls.map((acl) => aclArguments(acl, usernameOf)),
    cql: [
      ...roles,
      `${AUDIT_KEYSPACE_STATEMENT};`,
      ...CASSANDRA_BASE.tables.map((statement) => `${statement};`),
      ...CASSANDRA_BASE.grants.map((grant) => `${grantStatement(grant, usernameOf)};`),
    ],
  };
}
