import { InvalidArgumentError, Option, type Command } from 'commander';
import type { EventFilter } from '../../audit/query/filter.ts';
import { AUDIT_ACTIONS } from '../../audit/event/actions.ts';
import { timeOf, timeText } from '../terminal/options.ts';

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
