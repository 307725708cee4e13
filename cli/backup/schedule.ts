import { readDrillState } from '../../backup/drill/state.ts';
import { runCommandTask } from '../../backup/schedule/command-task.ts';
import type { ScheduleParts } from '../../backup/schedule/run-schedule.ts';
import { readSchedule, type TaskState } from '../../backup/schedule/state.ts';
import { TASK_NAMES, type TaskName } from '../../backup/schedule/tasks.ts';
import { systemClock } from '../../core/clock.ts';
import type { Home } from '../../core/home.ts';
import type { JsonValue } from '../../core/record.ts';
import { ownCommand } from '../../stack/index.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../terminal/output.ts';

/** What each task is to a person who would run it by hand. */
const COMMANDS: Readonly<Record<TaskName, readonly string[]>> = {
  snapshot: ['backup', 'create'],
  verify: ['backup', 'verify', 'latest', '--read-data'],
  prune: ['backup', 'prune', '--yes'],
  drill: ['backup', 'drill'],
};

/** Throws CONFIGURATION_INVALID where `backup.schedule` says what cannot be followed. */
export async function requireSchedule(context: CommandContext): Promise<void> {
  // Loaded only where it is wanted: every other command would wait for it.
  const { nextTimes } = await import('../../backup/schedule/cron.ts');
  nextTimes(context.settings().backup.schedule);
}

/** Follows the home's schedule until the signal aborts: each task is a command in a process of its own. */
export async function followSchedule(
  context: CommandContext,
  { signal, onProblem }: Pick<ScheduleParts, 'signal' | 'onProblem'>,
): Promise<void> {
  const { runSchedule } = await import('../../backup/schedule/run-schedule.ts');
  const home = context.home();
  const { config } = context.options;
  const settings = config === undefined ? [] : ['--config', config];
  const task = (words: readonly string[]) => (end: AbortSignal) =>
    runCommandTask(
      { ...ownCommand(home, [...settings, '--quiet', ...words]), title: `wardline ${words.join(' ')}` },
      end,
    );
  await runSchedule({
    ...{ home, settings: context.settings().backup.schedule, signal, onProblem },
    tasks: {
      snapshot: task(COMMANDS.snapshot),
      verify: task(COMMANDS.verify),
      prune: task(COMMANDS.prune),
      drill: task(COMMANDS.drill),
    },
    ...{ clock: systemClock, random: Math.random },
  });
}

/** What `status` says of the schedule and of the last drill. */
export function scheduleDocument(home: Home): JsonValue {
  const states = readSchedule(home);
  const tasks = TASK_NAMES.flatMap((name) => {
    const state = states[name];
    return state === undefined ? [] : [[name, taskDocument(state)] as const];
  });
  return { tasks: Object.fromEntries(tasks), drill: readDrillState(home) ?? null };
}

/** The same for people; empty where no schedule was ever followed. */
export function scheduleText(home: Home): readonly string[] {
  const states = readSchedule(home);
  const rows = TASK_NAMES.flatMap((name) => {
    const state = states[name];
    if (state === undefined) return [];
    const { startedAt, result = '', message } = state;
    const outcome = result === 'failed' ? `failed: ${message ?? ''}` : result;
    return [[name, startedAt === undefined ? 'never' : timeText(startedAt), outcome, timeText(state.due)]];
  });
  const drill = readDrillState(home);
  return [
    ...(rows.length === 0 ? [] : ['', table([['task', 'last', 'result', 'next'], ...rows])]),
    ...(drill === undefined
      ? []
      : [
          '',
          `Last drill ${drill.endedAt} of backup ${drill.backup}: ${drill.passed ? 'passed' : 'FAILED'}; RPO ${secondsText(drill.rpoSeconds)}, RTO ${secondsText(drill.rtoSeconds)}.`,
        ]),
  ];
}

function taskDocument({ startedAt, endedAt, result, message, failures, due }: TaskState): JsonValue {
  const time = (moment: number | undefined): string | null => (moment === undefined ? null : timeText(moment));
  return {
    startedAt: time(startedAt),
    endedAt: time(endedAt),
    result: result ?? null,
    message: message ?? null,
    failures,
    next: timeText(due),
  };
}

function timeText(moment: number): string {
  return new Date(moment).toISOString();
}

function secondsText(seconds: number | null): string {
  return seconds === null ? 'unknown' : `${seconds} s`;
}
