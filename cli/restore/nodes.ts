import type { Client } from 'cassandra-driver';
import { signingKey } from '../../audit/signature/signing-key.ts';
import type { Manifest } from '../../backup/manifest/manifest.ts';
import type { ManifestShelf } from '../../backup/manifest/stored-manifests.ts';
import { importIntoAll } from '../../backup/nodes/import-all.ts';
import type { TableImporter } from '../../backup/restore/table/restore-table.ts';
import { captureNodes } from '../../backup/snapshot/capture-cassandra.ts';
import { embeddedNode } from '../../backup/snapshot/node.ts';
import { systemClock } from '../../core/clock.ts';
import { accessOf, readCredential } from '../../security/connect/access.ts';
import { asCassandraError } from '../../security/connect/cassandra/cassandra.ts';
import type { CommandContext } from '../context.ts';

/** How the files of a backup come into the nodes of the cluster that a home's servers are, however many there are. */
export async function importerFor(
  context: CommandContext,
  { store, install, trusted }: ManifestShelf,
  manifest: Manifest,
  client: Pick<Client, 'execute' | 'hosts'>,
): Promise<TableImporter> {
  const home = context.home();
  const { nodes } = await captureNodes(client).catch((error: unknown) => {
    throw asCassandraError(error);
  });
  const ids = nodes.map(({ id }) => id);
  return importIntoAll({
    ...{ home, store, install, trusted, clock: systemClock, backup: manifest.id, nodes: ids },
    own: await embeddedNode(home).idAmong(ids),
    key: signingKey('operator', readCredential(accessOf(context.connection(), 'operator').signingKey)),
    nodePatience: context.settings().backup.nodePatienceSeconds * 1000,
    onWaiting: (waiting) =>
      context.output.note(`waiting for node ${waiting.join(', ')}: on its host, run wardline restore --part`),
  });
}
