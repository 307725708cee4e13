import type { Command } from 'commander';
import { countEvents, type EventCount } from '../../audit/query/count.ts';
import { logEnd } from '../../audit/query/query.ts';
import { latestCheckpoint } from '../../audit/store/checkpoints.ts';
import { readEpochs } from '../../audit/store/epochs.ts';
import { topicBounds } from '../../audit/topic/read-topic.ts';
import type { JsonValue } from '../../core/record.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { contextOf } from '../context.ts';
import { table } from '../terminal/output.ts';
import { onAuditRecord, withAuditSources, type AuditSources } from './sources.ts';

interface EpochStats {
  readonly epoch: number;
  /** Events stored. */
  readonly events: number;
  /** Events under the newest checkpoint that the keyspace holds. */
  readonly signed: number;
  /** Events of the topic that are not stored yet; null for an epoch whose topic is gone. */
  readonly behind: number | null;
}

/** Adds `audit stats`. */
export function registerStats(audit: Command): void {
  audit
    .command('stats')
    .description('show how large the log is, and how far the notary is behind')
    .option('--count', 'also count events by actor, action and outcome: reads every event')
    .addHelpText('after', '\nExample:\n  wardline audit stats --count')
    .action(async ({ count }: { count?: boolean }, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, async (sources) => {
        await onAuditRecord(context, sources.principal, 'audit.stats', { type: 'audit-log', id: sources.install });
        const epochs = await epochStats(sources);
        const counts = count === true ? await countAll(sources, epochs) : undefined;
        context.output.result({ epochs, ...(counts === undefined ? {} : { counts }) } as unknown as JsonValue, () =>
          [
            table([
              ['epoch', 'events', 'under checkpoint', 'behind the topic'],
              ...epochs.map(({ epoch, events, signed, behind }) => [
                ...[epoch, events, signed].map(String),
                behind === null ? 'its topic is gone' : String(behind),
              ]),
            ]),
            ...(counts === undefined ? [] : ['', countTable(counts)]),
          ].join('\n'),
        );
      });
    });
}

async function epochStats({ cassandra, install, topic }: AuditSources): Promise<readonly EpochStats[]> {
  const epochs = await readEpochs(cassandra, install);
  const bounds = await topicBounds(topic, AUDIT_TOPIC);
  return Promise.all(
    epochs.map(async ({ epoch }) => {
      const events = await logEnd(cassandra, epoch);
      const signed = (await latestCheckpoint(cassandra, epoch, events))?.size ?? 0;
      const isOpen = epoch === epochs.at(-1)?.epoch && bounds !== undefined;
      return { epoch, events, signed, behind: isOpen ? Math.max(0, bounds.high - events) : null };
    }),
  );
}

async function countAll({ cassandra }: AuditSources, epochs: readonly EpochStats[]): Promise<readonly EventCount[]> {
  const counts: EventCount[] = [];
  for (const { epoch, events } of epochs) counts.push(...(await countEvents(cassandra, epoch, events)));
  return counts;
}

function countTable(counts: readonly EventCount[]): string {
  return table([
    ['actor', 'action', 'outcome', 'events'],
    ...counts.map(({ actor, action, outcome, events }) => [
      actor ?? '?',
      action ?? '?',
      outcome ?? '?',
      String(events),
    ]),
  ]);
}
