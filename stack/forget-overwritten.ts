import type { Home } from '../core/home.ts';
import { nodetool } from './nodetool.ts';

/** Cassandra keeps the last conditional write of each partition here, whole, beside the table that it went to. */
const CONDITIONAL_WRITES = ['system', 'paxos'] as const;

/**
 * Makes the home's Cassandra drop from its SSTables, at once, what was overwritten in these tables: by a flush, which also
 * ends all segments of the commit log but the one that is being written, and a compaction. Takes some seconds.
 * What was only deleted stays for the tables' `gc_grace_seconds`. Throws as nodetool does.
 */
export async function forgetOverwritten(home: Home, keyspace: string, tables: readonly string[]): Promise<void> {
  await nodetool(home, ['flush']);
  await nodetool(home, ['compact', keyspace, ...tables]);
  await nodetool(home, ['compact', ...CONDITIONAL_WRITES]);
}
