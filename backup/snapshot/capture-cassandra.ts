import { types, type Client } from 'cassandra-driver';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import { KEYS_KEYSPACE } from '../../security/principals/names.ts';
import type { Manifest } from '../manifest/manifest.ts';

type CapturedCassandra = Manifest['cassandra'];
type Keyspace = CapturedCassandra['keyspaces'][number];

/** Cassandra's own. Roles and what they may do are captured as such, without what they log in with. */
const SYSTEM = /^system(_|$)/;
/** Keyspaces that a restore compares in; see `scratchKeyspace`. */
const SCRATCH = /^wardline_restore_/;

/** The keyspaces that a backup holds: all but Cassandra's own, those of a restore under way, and that of the keys. */
export function isBackedUp(keyspace: string): boolean {
  return isRestorable(keyspace) && !SCRATCH.test(keyspace);
}

/** The keyspaces that a restore may bring files into: all but Cassandra's own and that of the keys. */
export function isRestorable(keyspace: string): boolean {
  return keyspace !== KEYS_KEYSPACE && !SYSTEM.test(keyspace);
}

/** What a backup says of Cassandra: its nodes and schema, and its roles with their rights. Reads nobody's data. */
export async function captureCassandra(client: Pick<Client, 'execute' | 'hosts'>): Promise<CapturedCassandra> {
  try {
    const [nodes, keyspaces, roles, grants] = await Promise.all([
      captureNodes(client),
      captureKeyspaces(client),
      client.execute('SELECT role, is_superuser, can_login FROM system_auth.roles'),
      client.execute('LIST ALL PERMISSIONS'),
    ]);
    return {
      ...nodes,
      keyspaces,
      roles: roles.rows
        .map((row) => ({
          name: text(row['role']),
          superuser: row['is_superuser'] === true,
          login: row['can_login'] === true,
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      grants: grants.rows
        .map((row) => ({
          role: text(row['role']),
          resource: text(row['resource']),
          permission: text(row['permission']),
        }))
        .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    };
  } catch (error) {
    throw asCassandraError(error);
  }
}

/** The nodes of the cluster, by their host ids in order, whether they are up or not. */
export async function captureNodes(
  client: Pick<Client, 'execute' | 'hosts'>,
): Promise<Pick<CapturedCassandra, 'clusterName' | 'partitioner' | 'nodes'>> {
  const columns = 'host_id, data_center, rack, release_version, tokens';
  const local = await client.execute(
    `SELECT cluster_name, partitioner, broadcast_address AS address, ${columns} FROM system.local`,
  );
  // A node's peers are all but itself: the same node must be asked for both.
  const host = client.hosts.values().find(({ address }) => address === local.info.queriedHost);
  const peers = await client.execute(
    `SELECT peer AS address, ${columns} FROM system.peers_v2`,
    [],
    host === undefined ? {} : { host },
  );
  const nodes = [...local.rows, ...peers.rows].map((row) => ({
    id: text(row['host_id']),
    address: text(row['address']),
    dataCenter: text(row['data_center']),
    rack: text(row['rack']),
    version: text(row['release_version']),
    tokens: [...((row['tokens'] as Iterable<string> | null) ?? [])].toSorted(),
  }));
  return {
    clusterName: text(local.rows[0]?.['cluster_name']),
    partitioner: text(local.rows[0]?.['partitioner']),
    nodes: nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

async function captureKeyspaces(client: Pick<Client, 'execute'>): Promise<Keyspace[]> {
  const { rows } = await client.execute('SELECT keyspace_name, table_name, id FROM system_schema.tables');
  const present = await client.execute('SELECT keyspace_name FROM system_schema.keyspaces');
  const names = present.rows.map((row) => text(row['keyspace_name'])).filter(isBackedUp);
  return Promise.all(
    names.toSorted().map(async (name) => {
      const ids = new Map(
        rows
          .filter((row) => text(row['keyspace_name']) === name)
          .map((row) => [text(row['table_name']), text(row['id'])] as const),
      );
      return describeKeyspace(client, name, ids);
    }),
  );
}

/** Cassandra describes a keyspace in the order in which it can be made; an index follows its table. */
async function describeKeyspace(
  client: Pick<Client, 'execute'>,
  name: string,
  tableIds: ReadonlyMap<string, string>,
): Promise<Keyspace> {
  const { rows } = await client.execute(`DESCRIBE KEYSPACE "${name}"`, [], { fetchSize: 0 });
  const keyspace: { name: string; cql: string; tables: { name: string; id: string; cql: string[] }[] } = {
    name,
    cql: '',
    tables: [],
  };
  for (const row of rows) {
    const [type, object, cql] = [text(row['type']), text(row['name']), text(row['create_statement'])];
    if (type === 'keyspace') keyspace.cql = cql;
    else if (type === 'table') keyspace.tables.push({ name: object, id: tableIds.get(object) ?? '', cql: [cql] });
    else keyspace.tables.at(-1)?.cql.push(cql);
  }
  return keyspace;
}

/** UUIDs and addresses are objects of the driver's. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof types.Uuid || value instanceof types.InetAddress ? value.toString() : '';
}
