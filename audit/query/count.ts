import { asCassandraError } from '../../security/connect/cassandra.ts';
import type { CassandraWork } from '../../security/connect/renewing-cassandra.ts';
import { blockOf } from '../store/blocks.ts';
import { EVENTS_TABLE } from '../store/events.ts';

/** How many events one actor did of one kind, with one outcome. */
export interface EventCount {
  readonly actor: string | null;
  readonly action: string | null;
  readonly outcome: string | null;
  readonly events: number;
}

const PAGE_ROWS = 5000;

/** Counts the first `end` events of an epoch, the most frequent first. Reads every row of them, but no event. */
export async function countEvents(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  end: number,
): Promise<readonly EventCount[]> {
  const counts = new Map<string, EventCount>();
  const query = `SELECT actor, action, outcome FROM ${EVENTS_TABLE} WHERE epoch = ? AND block = ?`;
  try {
    for (let block = 0; block <= blockOf(end - 1); block += 1) {
      const rows = await client.execute(query, [epoch, block], {
        prepare: true,
        fetchSize: PAGE_ROWS,
        isIdempotent: true,
      });
      for await (const row of rows) {
        const kind = {
          actor: row['actor'] as string | null,
          action: row['action'] as string | null,
          outcome: row['outcome'] as string | null,
        };
        const key = JSON.stringify(kind);
        counts.set(key, { ...kind, events: (counts.get(key)?.events ?? 0) + 1 });
      }
    }
  } catch (error) {
    throw asCassandraError(error);
  }
  return [...counts.values()].sort((a, b) => b.events - a.events);
}
