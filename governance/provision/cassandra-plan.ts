import { SENSITIVE_CLASSES } from '../../core/classification.ts';
import { copiesOf } from '../../security/connect/cassandra/data-centers.ts';
import { dekTableName, dekTableStatement, keysKeyspaceStatement } from '../../security/keyring/dek-table.ts';
import {
  cassandraGrants,
  grantStatement,
  revokeStatement,
  withdrawnCassandraGrants,
  type CassandraGrant,
} from '../../security/principals/cassandra-grants.ts';
import { KEYS_KEYSPACE } from '../../security/principals/names.ts';
import type { CompiledContract } from '../contract/compiled.ts';
import { keyspaceDdl, tableDdl } from '../contract/ddl.ts';
import { grantKey, type CassandraFacts } from './cassandra-facts.ts';
import { cqlChange, type Change, type ProvisionPlan, type ProvisionSettings } from './plan.ts';
import { planTable } from './table-plan.ts';

/** Keyspaces, tables and grants that a contract needs and Cassandra lacks. */
export function planCassandra(
  contract: CompiledContract,
  facts: CassandraFacts,
  settings: ProvisionSettings,
): ProvisionPlan {
  const { keyspace, name } = contract.table;
  const existing = facts.tables.get(`${keyspace}.${name}`);
  const table = existing === undefined ? undefined : planTable(contract, existing);
  const made = existing === undefined ? [cqlChange('table', `${keyspace}.${name}`, tableDdl(contract).cql)] : [];
  return {
    changes: [
      ...keyspaceChanges(keyspace, facts),
      ...made,
      ...(table?.changes ?? []),
      ...keyTableChanges(contract, facts),
      ...grantChanges(contract, facts, settings),
    ],
    conflicts: table?.conflicts ?? [],
  };
}

function keyspaceChanges(keyspace: string, facts: CassandraFacts): Change[] {
  const dataCenters = copiesOf(facts.dataCenters);
  const changes = [
    cqlChange('keyspace', keyspace, keyspaceDdl(keyspace, { dataCenters }).cql),
    cqlChange('keyspace', KEYS_KEYSPACE, keysKeyspaceStatement({ class: 'NetworkTopologyStrategy', ...dataCenters })),
  ];
  return changes.filter((change) => !facts.keyspaces.has(change.name));
}

/** One table of keys for each class: also for one that no property has, since dead letters are sealed as `restricted`. */
function keyTableChanges(contract: CompiledContract, facts: CassandraFacts): Change[] {
  return SENSITIVE_CLASSES.flatMap((classification): Change[] => {
    const object = `${KEYS_KEYSPACE}.${dekTableName(contract.id, classification)}`;
    if (facts.tables.has(object)) return [];
    return [cqlChange('table', object, dekTableStatement(contract.id, classification))];
  });
}

function grantChanges(contract: CompiledContract, facts: CassandraFacts, { usernameOf }: ProvisionSettings): Change[] {
  const scope = {
    kind: 'contract',
    keyspace: contract.table.keyspace,
    table: contract.table.name,
    keysTables: SENSITIVE_CLASSES.map((classification) => ({
      classification,
      keyspace: KEYS_KEYSPACE,
      table: dekTableName(contract.id, classification),
    })),
    roles: contract.roles,
  } as const;
  const stands = ({ role, permission, resource }: CassandraGrant): boolean =>
    resource.type === 'table' &&
    (facts.grants?.has(grantKey(usernameOf(role), permission, resource.keyspace, resource.table)) ?? false);
  const statement = (kind: 'grant' | 'revoke', grant: CassandraGrant): Change =>
    cqlChange(kind, resourceName(grant), (kind === 'grant' ? grantStatement : revokeStatement)(grant, usernameOf));
  return [
    ...cassandraGrants(scope)
      .filter((grant) => !stands(grant))
      .map((grant) => statement('grant', grant)),
    ...withdrawnCassandraGrants(scope)
      .filter(stands)
      .map((grant) => statement('revoke', grant)),
  ];
}

function resourceName({ resource }: CassandraGrant): string {
  return resource.type === 'table' ? `${resource.keyspace}.${resource.table}` : resource.type;
}
