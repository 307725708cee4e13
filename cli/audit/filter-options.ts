import { InvalidArgumentError, Option, type Command } from 'commander';
import type { EventFilter } from '../../audit/query/filter.ts';
import { AUDIT_ACTIONS } from '../../audit/event/actions.ts';

/** The options by which events are asked for. */
export interface FilterFlags {
  readonly since?: string;
  readonly until?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly object?: string;
  readonly outcome?: string;
  readonly trace?: string;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function withFilterOptions(command: Command): Command {
  return command
    .option('--since <time>', 'from then on: 10m, 1h, 2d, or RFC 3339', timeText)
    .option('--until <time>', 'before then', timeText)
    .option('--actor <principal>', 'who did it')
    .addOption(
      new Option('--action <action>', 'what was done, such as keys.destroy').argParser((text: string) => {
        if (Object.hasOwn(AUDIT_ACTIONS, text)) return text;
        throw new InvalidArgumentError(`the actions are ${Object.keys(AUDIT_ACTIONS).join(', ')}`);
      }),
    )
    .option('--object <object>', 'to what: TYPE, TYPE:ID or :ID')
    .addOption(new Option('--outcome <outcome>').choices(['success', 'denied', 'failure']))
    .option('--trace <id>', 'in which trace');
}

/** What is asked for; `now` is in milliseconds since the epoch. */
export function filterOf(
  { since, until, actor, action, object, outcome, trace }: FilterFlags,
  now: number,
): EventFilter {
  const at = object?.indexOf(':') ?? -1;
  const [type, id] = at < 0 ? [object, undefined] : [object?.slice(0, at), object?.slice(at + 1)];
  return {
    actor,
    action,
    outcome,
    objectType: type === '' ? undefined : type,
    objectId: id,
    traceId: trace?.toLowerCase(),
    since: since === undefined ? undefined : timeOf(since, now),
    until: until === undefined ? undefined : timeOf(until, now),
  };
}

/** The time that a text names: so long before `now`, or RFC 3339. NaN where it names none. */
function timeOf(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (unit !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  return /^\d{4}-\d{2}-\d{2}(T|$)/.test(text) ? Date.parse(text) : NaN;
}

function timeText(text: string): string {
  if (Number.isNaN(timeOf(text, 0))) throw new InvalidArgumentError('10m, 1h, 2d or an RFC 3339 time is needed');
  return text;
}
