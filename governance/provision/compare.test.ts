import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SENSITIVE_CLASSES } from '../../core/classification.ts';
import { dekTableName } from '../../security/keyring/dek-table.ts';
import { PROVENANCE_COLUMNS, type CompiledContract } from '../contract/compiled.ts';
import { tableCommentText } from '../contract/ddl.ts';
import { loadContract } from '../contract/load.ts';
import { grantKey, type CassandraFacts, type ColumnFacts, type TableFacts } from './cassandra-facts.ts';
import { aclKey, type KafkaFacts } from './kafka-facts.ts';
import { topicConfiguration } from './kafka-plan.ts';
import { compareWithServers, type Facts } from './compare.ts';
import type { Change, ProvisionSettings } from './plan.ts';

const clinic = loadContract(join(import.meta.dirname, '../../test/support/contracts/clinic.odcs.yaml'));
const settings: ProvisionSettings = {
  topics: { partitions: 6, replicationFactor: 1 },
  usernameOf: (principal) => `the-${principal}`,
};
const TABLE = 'clinic_data.vital_signs';
const EMPTY: Facts = {
  kafka: { brokers: 1, topics: new Map(), acls: new Set() },
  cassandra: { dataCenters: new Map([['dc1', 1]]), keyspaces: new Set(), tables: new Map(), grants: new Set() },
};

const compare = (facts: Facts, contract: CompiledContract = clinic) => compareWithServers(contract, facts, settings);
const cqlOf = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) => ('cql' in change ? [change.cql] : []));

/** The facts that stand once a contract was applied to empty servers. */
function applied(contract: CompiledContract): Facts {
  const { changes } = compare(EMPTY, contract);
  const configuration = new Map(Object.entries(topicConfiguration(contract, 1)));
  const place = (name: string): Pick<ColumnFacts, 'kind' | 'position'> => {
    const [partition, clustering] = [
      contract.table.partitionKey.indexOf(name),
      contract.table.clusteringKey.indexOf(name),
    ];
    if (partition >= 0) return { kind: 'partition_key', position: partition };
    return clustering >= 0 ? { kind: 'clustering', position: clustering } : { kind: 'regular', position: -1 };
  };
  const table: TableFacts = {
    comment: tableCommentText(contract),
    defaultTimeToLive: contract.retentionSeconds ?? 0,
    columns: new Map<string, ColumnFacts>([
      ...contract.table.columns.map(({ name, storedType }) => [name, { type: storedType, ...place(name) }] as const),
      ...PROVENANCE_COLUMNS.map(({ name, type }) => [name, { type, kind: 'regular', position: -1 }] as const),
    ]),
  };
  const keys = SENSITIVE_CLASSES.map((sensitive) => `wardline_keys.${dekTableName(contract.id, sensitive)}`);
  const grants = changes.flatMap((change) => {
    if (change.kind !== 'grant') return [];
    const [, permission = '', keyspace = '', name = '', role = ''] =
      /^GRANT (\w+) ON TABLE "(\w+)"\."(\w+)" TO "([\w-]+)"$/.exec(change.cql) ?? [];
    return [grantKey(role, permission, keyspace, name)];
  });
  return {
    kafka: {
      brokers: 1,
      topics: new Map(
        changes.flatMap((change) => (change.kind === 'topic' ? [[change.name, { partitions: 6, configuration }]] : [])),
      ),
      acls: new Set(changes.flatMap((change) => (change.kind === 'acl' ? [aclKey(change.acl)] : []))),
    },
    cassandra: {
      dataCenters: new Map([['dc1', 1]]),
      keyspaces: new Set(['clinic_data', 'wardline_keys']),
      tables: new Map([[TABLE, table], ...keys.map((key) => [key, table] as const)]),
      grants: new Set(grants),
    },
  };
}

function withTable(change: (table: TableFacts) => Partial<TableFacts>): Facts {
  const facts = applied(clinic);
  const table = facts.cassandra.tables.get(TABLE);
  if (table === undefined) throw new Error('no table');
  const tables = new Map(facts.cassandra.tables).set(TABLE, { ...table, ...change(table) });
  return { ...facts, cassandra: { ...facts.cassandra, tables } };
}

const column = (facts: Partial<ColumnFacts>): ColumnFacts => ({
  type: 'text',
  kind: 'regular',
  position: -1,
  ...facts,
});

describe('on empty servers', () => {
  const { changes, conflicts } = compare(EMPTY);

  it('makes topics stamped by the broker, kept as long as the contract says', () => {
    const topics = changes.filter((change) => change.kind === 'topic').map((change) => change.topic);
    expect(topics.map(({ topic }) => topic)).toEqual(['vital_signs', 'vital_signs.dead-letters']);
    expect(topics[0]).toMatchObject({ numPartitions: 6, replicationFactor: 1 });
    expect(Object.fromEntries((topics[0]?.configEntries ?? []).map(({ name, value }) => [name, value]))).toEqual({
      'retention.ms': '2592000000',
      'retention.bytes': '-1',
      'cleanup.policy': 'delete',
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': '4194304',
      'min.insync.replicas': '1',
    });
    expect(conflicts).toEqual([]);
  });

  it('makes keyspaces before tables, and tables before grants', () => {
    const kinds = changes.map(({ kind }) => kind).filter((kind) => kind !== 'topic' && kind !== 'acl');
    expect([...new Set(kinds)]).toEqual(['keyspace', 'table', 'grant']);
    expect(kinds.slice(0, 5)).toEqual(['keyspace', 'keyspace', 'table', 'table', 'table']);
  });

  it('gives rights by the names that the principals have on the servers', () => {
    const details = changes.filter(({ kind }) => kind === 'acl').map(({ detail }) => detail);
    expect(details).toContain('allow User:the-source WRITE on topic vital_signs');
    expect(details).toContain('allow User:the-worker READ on group wardline.worker.clinic');
    expect(cqlOf(changes)).toContain(`GRANT MODIFY ON TABLE "clinic_data"."vital_signs" TO "the-worker"`);
  });

  it('lets the reader have keys of the class that the contract opens, and of no other', () => {
    const toReader = cqlOf(changes).filter((cql) => cql.includes('"the-reader"') && cql.includes('wardline_keys'));
    expect(toReader).toEqual([`GRANT SELECT ON TABLE "wardline_keys"."clinic_personal" TO "the-reader"`]);
  });
});

describe('on servers that have it all', () => {
  it('changes nothing', () => expect(compare(applied(clinic))).toEqual({ changes: [], conflicts: [] }));

  it('takes back a class that the reader may no longer open', () => {
    const roles = clinic.roles.map((role) => ({ ...role, opens: [] }));
    const { changes } = compare(applied(clinic), { ...clinic, roles });
    expect(cqlOf(changes)).toEqual([`REVOKE SELECT ON TABLE "wardline_keys"."clinic_personal" FROM "the-reader"`]);
  });

  it('gives every grant again where it may not see them', () => {
    const facts = applied(clinic);
    const { changes } = compare({ ...facts, cassandra: { ...facts.cassandra, grants: undefined } });
    expect(changes.map(({ kind }) => kind)).toContain('grant');
    expect(changes.map(({ kind }) => kind)).not.toContain('revoke');
  });

  it('adds a column, and notes the new version', () => {
    const facts = withTable(({ columns }) => ({
      columns: new Map([...columns].filter(([name]) => name !== 'ward_code')),
    }));
    const { changes, conflicts } = compare(facts, { ...clinic, version: '2.2.0' });
    expect(conflicts).toEqual([]);
    expect(changes.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['column', `ALTER TABLE ${TABLE} ADD IF NOT EXISTS ward_code text`],
      ['comment', expect.stringContaining('"version":"2.2.0"') as string],
    ]);
  });
});

describe('on servers that hold something else', () => {
  it.each<[string, (table: TableFacts) => Partial<TableFacts>, RegExp]>([
    [
      'a column of another type',
      ({ columns }) => ({ columns: new Map(columns).set('ward', column({ type: 'int' })) }),
      /column ward is int, and the contract needs text/,
    ],
    [
      'a column that the contract lacks',
      ({ columns }) => ({ columns: new Map(columns).set('extra', column({})) }),
      /column extra is not in the contract/,
    ],
    [
      'a key column elsewhere',
      ({ columns }) => ({ columns: new Map(columns).set('device', column({ type: 'bigint' })) }),
      /device has another place in the key/,
    ],
    [
      'a key without a column',
      ({ columns }) => ({ columns: new Map([...columns].filter(([name]) => name !== 'device')) }),
      /key lacks the column device/,
    ],
    ['another retention', () => ({ defaultTimeToLive: 60 }), /default_time_to_live is 60/],
    [
      'the table of another contract',
      () => ({ comment: JSON.stringify({ contract: 'other', version: '1', sealed: [] }) }),
      /belongs to the contract other/,
    ],
    [
      'clear values where sealed ones belong',
      () => ({
        comment: tableCommentText({
          ...clinic,
          table: { ...clinic.table, columns: clinic.table.columns.filter(({ name }) => name !== 'alarm') },
        }),
      }),
      /alarm holds clear values, and the contract seals it/,
    ],
    [
      'sealed values where clear ones belong',
      () => ({
        comment: tableCommentText({
          ...clinic,
          table: {
            ...clinic.table,
            columns: clinic.table.columns.map((each) => ({
              ...each,
              sealedAs: each.sealedAs ?? (each.name === 'ward' ? ('personal' as const) : undefined),
            })),
          },
        }),
      }),
      /ward holds sealed values/,
    ],
  ])('%s', (_name, change, expected) => {
    const { conflicts } = compare(withTable(change));
    expect(conflicts.map(({ object, problem }) => `${object}: ${problem}`).join('\n')).toMatch(expected);
    for (const { remedy } of conflicts) expect(remedy).not.toBe('');
  });

  it.each([
    ['retention.ms', '1000'],
    ['message.timestamp.type', 'CreateTime'],
    ['cleanup.policy', 'compact'],
    ['max.message.bytes', '1048588'],
  ])('a topic with another %s', (name, value) => {
    const facts = applied(clinic);
    const configuration = new Map(Object.entries(topicConfiguration(clinic, 1))).set(name, value);
    const kafka: KafkaFacts = {
      ...facts.kafka,
      topics: new Map(facts.kafka.topics).set('vital_signs', { partitions: 6, configuration }),
    };
    const { conflicts } = compare({ ...facts, kafka });
    expect(conflicts).toHaveLength(1);
    expect(conflicts[0]).toMatchObject({
      object: 'topic vital_signs',
      problem: expect.stringContaining(name) as string,
    });
  });

  it('fewer brokers than replicas', () => {
    const { conflicts } = compareWithServers(clinic, EMPTY, {
      ...settings,
      topics: { partitions: 1, replicationFactor: 3 },
    });
    expect(conflicts).toMatchObject([{ object: 'topics.replicationFactor' }]);
  });
});

describe('replication', () => {
  it('is three in a data center that has the nodes, and as many as there are in one that has not', () => {
    const cassandra: CassandraFacts = {
      ...EMPTY.cassandra,
      dataCenters: new Map([
        ['east', 5],
        ['west', 2],
      ]),
    };
    const [keyspace, keys] = cqlOf(compare({ ...EMPTY, cassandra }).changes);
    expect(keyspace).toContain(`'east': 3, 'west': 2`);
    expect(keys).toContain(`'east': '3', 'west': '2'`);
  });
});
