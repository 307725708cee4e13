import { captureNodes } from '../../backup/snapshot/capture-cassandra.ts';
import { embeddedNode } from '../../backup/snapshot/node.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { asCassandraError, cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import type { PrincipalName } from '../../security/principals/names.ts';
import type { CommandContext } from '../context.ts';

/** The cluster's node whose files are in this home, by its host id. Throws NOT_RUNNING where there is none. */
export async function nodeHere(context: CommandContext, principal: PrincipalName): Promise<string> {
  const client = cassandraClient(context.connection(), principal, { connectionsPerHost: 1 });
  try {
    const { nodes } = await captureNodes(client);
    const id = await embeddedNode(context.home()).idAmong(nodes.map((node) => node.id));
    if (id !== undefined) return id;
    throw new WardlineError('NOT_RUNNING', 'no node of the cluster is in this home', {
      hint: 'run this on the host of a node, with the home that holds its files',
    });
  } catch (error) {
    throw asCassandraError(error);
  } finally {
    await client.shutdown();
  }
}
