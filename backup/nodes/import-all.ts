import { WardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { newBackupId } from '../naming.ts';
import { importStaged } from '../restore/table/import-table.ts';
import type { TableImporter } from '../restore/table/restore-table.ts';
import type { TableName } from '../restore/table/scan-table.ts';
import { askNodes, type AskParts } from './ask-nodes.ts';
import { headOf, IMPORT_ANSWER, IMPORT_REQUEST } from './documents.ts';

export interface ImportAllParts extends AskParts {
  readonly home: Home;
  /** The backup that is restored. */
  readonly backup: string;
  /** Host ids of all nodes, and of that on this machine where there is one. */
  readonly nodes: readonly string[];
  readonly own: string | undefined;
  /** How long the other nodes have for a table, in milliseconds. */
  readonly nodePatience: number;
}

/**
 * Brings a table's files into every node of the cluster, since each may own any of the rows: into that on this machine
 * itself, into each other by asking its host, where `takeInFor` answers. The importer throws NODE_MISSING where a node
 * does not answer in time; called again, it does all of it again.
 */
export function importIntoAll(parts: ImportAllParts): TableImporter {
  const { home, nodes, own } = parts;
  const others = nodes.filter((node) => node !== own);
  if (nodes.length === 0)
    throw new WardlineError('CASSANDRA_REFUSED', 'Cassandra names no node that could take files in');
  return async (source, target) => {
    const importOwn = (): Promise<void> =>
      own === undefined ? Promise.resolve() : importStaged(home, target, others.length > 0);
    if (others.length === 0) return importOwn();
    const until = new Date(parts.clock.now() + parts.nodePatience).toISOString();
    const head = headOf(parts.install, newBackupId(parts.clock.now()));
    await askNodes(
      parts,
      { request: IMPORT_REQUEST, answer: IMPORT_ANSWER },
      {
        ...{ ...head, nodes: [...others], until, backup: parts.backup },
        ...{ source: nameOnly(source), target: nameOnly(target) },
      },
      importOwn,
    );
  };
}

/** A table may come with what makes it, which the others have from the cluster. */
function nameOnly({ keyspace, table }: TableName): { keyspace: string; table: string } {
  return { keyspace, table };
}
