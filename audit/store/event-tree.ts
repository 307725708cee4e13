import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { HASH_BYTES, leafHash } from '../merkle/hash.ts';
import type { TreeSource } from '../merkle/stored-tree.ts';
import { blockOf } from './blocks.ts';
import { readEvents } from './events.ts';
import { readTile } from './tiles.ts';

/**
 * The tree of an epoch, read from the audit keyspace: full tiles as they are kept, and leaf hashes that no full tile
 * holds computed from the events. Throws a RangeError where an event that is needed is missing.
 */
export function eventTree(client: Pick<CassandraWork, 'execute'>, epoch: number): TreeSource {
  return {
    tile: (level, index) => readTile(client, epoch, level, index),
    async leaves(from, to) {
      const hashes = Buffer.alloc((to - from) * HASH_BYTES);
      let found = 0;
      for (let block = blockOf(from); block <= blockOf(to - 1); block += 1) {
        for await (const events of readEvents(client, epoch, block, { from, to })) {
          for (const { sequence, message } of events) {
            if (message === undefined) continue;
            hashes.set(leafHash(message), (sequence - from) * HASH_BYTES);
            found += 1;
          }
        }
      }
      if (found !== to - from) throw new RangeError(`of the events ${from} to ${to - 1} some are missing`);
      return hashes;
    },
  };
}
