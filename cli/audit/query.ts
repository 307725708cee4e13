import { Option, type Command } from 'commander';
import type { EventFilter } from '../../audit/query/filter.ts';
import { followEvents } from '../../audit/query/follow.ts';
import { ocsfOf } from '../../audit/query/ocsf.ts';
import { newestEvents, withoutResends, type FoundEvent } from '../../audit/query/query.ts';
import { offsetAt } from '../../audit/topic/read-topic.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { AUDIT_TOPIC } from '../../security/principals/names.ts';
import { contextOf, type CommandContext } from '../context.ts';
import { wholeNumber } from '../terminal/options.ts';
import { eventDocumentOf, eventRow, eventTable } from './event-view.ts';
import { filterOf, withFilterOptions, type FilterFlags } from './filter-options.ts';
import {
  newestEpoch,
  onAuditRecord,
  placeNamed,
  placeText,
  withAuditSources,
  type AuditSources,
  type Place,
} from './sources.ts';

const DEFAULT_EVENTS = 50;
const DIGITS = /^[1-9]\d{0,8}$/;

interface QueryFlags extends FilterFlags {
  readonly epoch?: string;
  readonly limit: number;
  readonly before?: string;
  readonly follow?: boolean;
  readonly format: 'table' | 'jsonl' | 'ocsf';
}

/** Adds `audit query`. */
export function registerQuery(audit: Command): void {
  withFilterOptions(audit.command('query').description('show the newest events that fit, the oldest of them first'))
    .option('--epoch <number>', 'only of this epoch')
    .option('--limit <n>', 'at most so many events', wholeNumber, DEFAULT_EVENTS)
    .option('--before <place>', 'only events before this place: the next page')
    .option('--follow', 'go on as events come')
    .addOption(new Option('--format <format>').choices(['table', 'jsonl', 'ocsf']).default('table'))
    .addHelpText(
      'after',
      '\nExamples:\n  wardline audit query --since 10m --outcome denied\n  wardline audit query --actor reader --object subject:home-0001 --format ocsf',
    )
    .action(async (flags: QueryFlags, command: Command) => {
      const context = contextOf(command);
      await withAuditSources(context, (sources) => query(context, sources, flags));
    });
}

async function query(context: CommandContext, sources: AuditSources, flags: QueryFlags): Promise<void> {
  const filter = filterOf(flags, systemClock.now());
  const start = await startOf(sources, flags);
  const object = { type: 'audit-log', id: sources.install };
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined);
  await onAuditRecord(context, sources.principal, 'audit.query', object, Object.fromEntries(asked));
  const found = await newest(sources, filter, start, flags);
  const print = printer(context, flags.format);
  print.all(found.events);
  if (found.more !== undefined) context.output.note(`there are more: --before ${found.more}`);
  if (flags.follow !== true) return;
  const from = {
    client: sources.cassandra,
    filter,
    epoch: await newestEpoch(sources),
    after: found.events.at(-1)?.sequence,
  };
  for await (const event of withoutResends(followEvents(from, () => newestEpoch(sources), context.signal)))
    print.one(event);
}

/** From which epoch downward, and before which of its sequences. */
async function startOf(sources: AuditSources, { epoch, before }: QueryFlags): Promise<Place> {
  if (epoch !== undefined && !DIGITS.test(epoch)) throw new WardlineError('USAGE', `${epoch} is no epoch`);
  if (before !== undefined) return placeNamed(before, sources);
  return { epoch: epoch === undefined ? await newestEpoch(sources) : Number(epoch), sequence: Infinity };
}

/** A page, the oldest first, and the place before which the next one ends, where there may be one. */
async function newest(
  sources: AuditSources,
  filter: EventFilter,
  start: Place,
  { limit, epoch: only }: QueryFlags,
): Promise<{ readonly events: readonly FoundEvent[]; readonly more: string | undefined }> {
  const { cassandra } = sources;
  const open = await newestEpoch(sources);
  const found: FoundEvent[] = [];
  for (let epoch = start.epoch; epoch >= (only === undefined ? 1 : start.epoch); epoch -= 1) {
    const before = epoch === start.epoch ? start.sequence : Infinity;
    const floor = epoch === open ? await floorOf(sources, filter) : undefined;
    for await (const event of withoutResends(newestEvents({ client: cassandra, epoch, filter, floor }, before))) {
      const last = found.at(-1);
      if (found.length === limit) return { events: found.toReversed(), more: last && placeText(last) };
      found.push(event);
    }
  }
  return { events: found.toReversed(), more: undefined };
}

/** By how much an actor's clock may be ahead of the broker's, in milliseconds. */
const CLOCK_SKEW = 5 * 60_000;

/** Events that were appended before `since` were also made before it: where they end, the topic tells. */
async function floorOf({ topic }: AuditSources, { since }: EventFilter): Promise<number | undefined> {
  return since === undefined ? undefined : offsetAt(topic, AUDIT_TOPIC, since - CLOCK_SKEW);
}

interface Printer {
  all(events: readonly FoundEvent[]): void;
  one(event: FoundEvent): void;
}

/** With --json, and for other programs, an event a line; else a table, whose later rows keep to no width. */
function printer({ output }: CommandContext, format: QueryFlags['format']): Printer {
  if (format === 'table' && !output.json) {
    return {
      all: (events) => output.item(null, () => (events.length === 0 ? 'No events fit.' : eventTable(events))),
      one: (event) => output.item(null, () => eventRow(event).join('  ')),
    };
  }
  const one = (event: FoundEvent): void => {
    const document = format === 'ocsf' ? ocsfOf(event) : eventDocumentOf(event);
    if (document !== undefined) output.item(document, () => JSON.stringify(document));
  };
  return { all: (events) => events.forEach(one), one };
}
