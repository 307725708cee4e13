import type { Client } from 'cassandra-driver';
import { copiesAmong } from '../../../core/replication.ts';

/** How many nodes each data center has, by its name. Every role may ask. */
export async function nodesOfDataCenters(client: Pick<Client, 'execute'>): Promise<ReadonlyMap<string, number>> {
  const [local, peers] = await Promise.all([
    client.execute('SELECT data_center FROM system.local'),
    client.execute('SELECT data_center FROM system.peers_v2'),
  ]);
  const nodes = new Map<string, number>();
  for (const row of [...local.rows, ...peers.rows]) {
    const name = String(row['data_center']);
    nodes.set(name, (nodes.get(name) ?? 0) + 1);
  }
  return nodes;
}

/** How many copies of what everything depends on each data center gets. */
export function copiesOf(dataCenters: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...dataCenters].map(([name, nodes]) => [name, copiesAmong(nodes)]));
}
