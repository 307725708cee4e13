import { sleep, type Clock } from '../../core/clock.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import type { Home } from '../../core/home.ts';
import { nextTimes, type NextTime } from './cron.ts';
import { readSchedule, writeSchedule, type TaskState } from './state.ts';
import type { ScheduleSettings, TaskName } from './tasks.ts';

export interface ScheduleParts {
  readonly home: Pick<Home, 'paths'>;
  readonly settings: ScheduleSettings;
  /** Each rejects where its task failed; on the signal it SHOULD end soon. What failed is on the record by its own doing. */
  readonly tasks: Readonly<Record<TaskName, (signal: AbortSignal) => Promise<void>>>;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told when something went wrong that a person should see. */
  readonly onProblem: (message: string) => void;
}

/** A machine that slept, or whose clock was set, is noticed after this long. */
const LONGEST_SLEEP = 30_000;
/** A snapshot that failed is worth more than waiting for its next time. */
const RETRY: Readonly<Partial<Record<TaskName, { readonly delay: number; readonly times: number }>>> = {
  snapshot: { delay: 5 * 60_000, times: 3 },
};

/**
 * Runs each task at the times of its cron expression, until the signal aborts: one at a time, in the order in which they
 * are due. One whose time comes while it or another runs is run once afterwards. Times that passed while nobody was there
 * to run it are made up for by one run. What becomes of each is kept in the home. Throws CONFIGURATION_INVALID.
 */
export async function runSchedule(parts: ScheduleParts): Promise<void> {
  const { home, settings, clock, signal, onProblem } = parts;
  const times = nextTimes(settings);
  const kept = readSchedule(home);
  const states = new Map([...times].map(([name, next]) => [name, resumed(kept[name], settings[name], next, parts)]));
  const keep = (name: TaskName, state: TaskState): void => {
    states.set(name, state);
    try {
      writeSchedule(home, Object.fromEntries(states));
    } catch (error) {
      onProblem(`the state of the schedule could not be kept: ${asWardlineError(error).message}`);
    }
  };
  for (const [name, state] of states) keep(name, state);
  while (!signal.aborted && states.size > 0) {
    const [name, state] = [...states].reduce((first, other) => (other[1].due < first[1].due ? other : first));
    const wait = state.due - clock.now();
    if (wait > 0) {
      await sleep(Math.min(wait, LONGEST_SLEEP), signal);
      continue;
    }
    // Asked for before it runs, so that a time that comes meanwhile is not passed over.
    const next = withJitter(times.get(name)?.() ?? Infinity, parts);
    const running = { ...state, startedAt: clock.now(), result: 'running', message: undefined } as const;
    keep(name, running);
    const outcome = await outcomeOf(parts, name);
    // It stays due: the next process begins with it.
    if (outcome === 'broken off') return;
    keep(name, { ...running, ...ended(name, state, outcome.message, { now: clock.now(), next }) });
  }
}

/** Where a task goes on: where it was, unless it is scheduled otherwise by now. */
function resumed(kept: TaskState | undefined, expression: string, next: NextTime, parts: ScheduleParts): TaskState {
  const { timeZone } = parts.settings;
  if (kept?.expression === expression && kept.timeZone === timeZone) return kept;
  return { ...kept, expression, timeZone, due: withJitter(next(), parts), failures: 0 };
}

function withJitter(time: number, { random, settings }: ScheduleParts): number {
  return Math.round(time + random() * settings.jitterSeconds * 1000);
}

async function outcomeOf(
  { tasks, signal, onProblem }: ScheduleParts,
  name: TaskName,
): Promise<'broken off' | { readonly message: string | undefined }> {
  try {
    await tasks[name](signal);
    return { message: undefined };
  } catch (error) {
    if (signal.aborted) return 'broken off';
    const { message } = asWardlineError(error);
    onProblem(`the scheduled ${name} failed: ${message}`);
    return { message };
  }
}

function ended(
  name: TaskName,
  { failures }: TaskState,
  message: string | undefined,
  { now, next }: { readonly now: number; readonly next: number },
): Pick<TaskState, 'endedAt' | 'result' | 'message' | 'failures' | 'due'> {
  if (message === undefined) return { endedAt: now, result: 'done', failures: 0, due: next };
  const retry = RETRY[name];
  const isWorthIt = retry !== undefined && failures < retry.times;
  const due = isWorthIt ? Math.min(next, now + retry.delay) : next;
  return { endedAt: now, result: 'failed', message, failures: failures + 1, due };
}
