import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { blockOf } from '../store/blocks.ts';
import { columnsOf } from '../store/columns.ts';
import { readEvents } from '../store/events.ts';

/** How many events one actor did of one kind, with one outcome. */
export interface EventCount {
  readonly actor: string | null;
  readonly action: string | null;
  readonly outcome: string | null;
  readonly events: number;
}

/** Counts the first `end` events of an epoch, the most frequent first. Reads every one of them. */
export async function countEvents(
  client: Pick<CassandraWork, 'execute'>,
  epoch: number,
  end: number,
): Promise<readonly EventCount[]> {
  const counts = new Map<string, EventCount>();
  for (let block = 0; block <= blockOf(end - 1); block += 1) {
    for await (const events of readEvents(client, epoch, block)) {
      for (const { message } of events) {
        const { actor, action, outcome } = columnsOf(message);
        const key = JSON.stringify([actor, action, outcome]);
        counts.set(key, { actor, action, outcome, events: (counts.get(key)?.events ?? 0) + 1 });
      }
    }
  }
  return [...counts.values()].sort((a, b) => b.events - a.events);
}
