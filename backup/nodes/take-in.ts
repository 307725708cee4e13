import type { AuditLog } from '../../audit/event/event.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { readManifest } from '../manifest/stored-manifests.ts';
import { fetchFiles, type FetchParts } from '../restore/table/fetch-files.ts';
import { importStaged, stagedTable } from '../restore/table/import-table.ts';
import { isRestorable } from '../snapshot/capture-cassandra.ts';
import type { Correspondence } from './ask-nodes.ts';
import { headOf, IMPORT_ANSWER, type ImportRequest } from './documents.ts';
import { answer, type FoundRequest } from './next-request.ts';

export interface TakeInParts extends Correspondence {
  readonly home: Home;
  /** Host id of the node on this machine. */
  readonly nodeId: string;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly fetch: FetchParts;
}

/**
 * Does this node's part of a restore that goes on elsewhere: proves the backup's manifest itself, fetches the files of
 * one table, has Cassandra take them in, drops the rows that belong to other nodes, and answers. Once more does no harm.
 * MUST be alone with the home's staged files. Throws REFUSED_BY_POLICY where the request names a keyspace that no restore may touch, NOT_FOUND where the restore was
 * given up meanwhile, and what reading a backup throws.
 */
export async function takeInFor(parts: TakeInParts, found: FoundRequest<ImportRequest>): Promise<void> {
  const { home, store, install, trusted, nodeId, audit } = parts;
  const { id, backup, source, target } = found.request;
  if (!isRestorable(target.keyspace))
    throw new WardlineError('REFUSED_BY_POLICY', `a restore asks to bring files into ${target.keyspace}`);
  const { files } = await readManifest({ store, install, trusted }, backup);
  const wanted = files.filter((file) => file.keyspace === source.keyspace && file.table === source.table);
  await audit.append({
    ...{ action: 'restore.part', object: { type: 'backup', id: backup }, outcome: 'success' },
    details: { node: nodeId, table: `${target.keyspace}.${target.table}` },
  });
  await fetchFiles(wanted, (node) => stagedTable(home, node, target), parts.fetch);
  await importStaged(home, target, true);
  const document = { ...headOf(install, id), node: nodeId, request: found.sha256 };
  if (await answer(parts, IMPORT_ANSWER, found, document)) return;
  throw new WardlineError('NOT_FOUND', `the restore of ${backup} was given up before this node had done its part`, {
    hint: 'begin it again where it was begun',
  });
}
