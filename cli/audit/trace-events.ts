import { eventsInOrder, logEnd, withoutResends, type FoundEvent } from '../../audit/query/query.ts';
import { readEpochs } from '../../audit/store/epochs.ts';
import type { CommandContext } from '../context.ts';
import { onAuditRecord, withAuditSources } from './sources.ts';

/** The events of a trace, in their order; asking for them is an event itself. */
export function eventsOfTrace(context: CommandContext, traceId: string): Promise<readonly FoundEvent[]> {
  return withAuditSources(context, async ({ install, principal, cassandra }) => {
    await onAuditRecord(context, principal, 'audit.query', { type: 'audit-log', id: install }, { traceId });
    const found: FoundEvent[] = [];
    for (const { epoch } of await readEpochs(cassandra, install)) {
      const end = await logEnd(cassandra, epoch);
      const events = eventsInOrder({ client: cassandra, epoch, filter: { traceId } }, 0, end);
      for await (const event of withoutResends(events)) found.push(event);
    }
    return found;
  });
}
