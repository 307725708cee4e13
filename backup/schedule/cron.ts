import { createTask, validate } from 'node-cron';
import { WardlineError } from '../../core/errors/errors.ts';
import { TASK_NAMES, type ScheduleSettings, type TaskName } from './tasks.ts';

/** Gives the next time of a cron expression after now, in milliseconds since the epoch. */
export type NextTime = () => number;

/**
 * The next times of all tasks that are switched on, by the process' own clock. Throws CONFIGURATION_INVALID naming each
 * setting that is no cron expression, or the time zone where there is none of that name.
 */
export function nextTimes(settings: ScheduleSettings): ReadonlyMap<TaskName, NextTime> {
  const { timeZone } = settings;
  const wanted = TASK_NAMES.filter((name) => settings[name].trim() !== '');
  const problems = [
    ...wanted
      .filter((name) => !validate(settings[name]))
      .map((name) => `backup.schedule.${name}: ${JSON.stringify(settings[name])} is no cron expression`),
    ...(isTimeZone(timeZone) ? [] : [`backup.schedule.timeZone: there is no time zone ${JSON.stringify(timeZone)}`]),
  ];
  if (problems.length > 0)
    throw new WardlineError('CONFIGURATION_INVALID', problems.join('; '), {
      hint: "five fields as in '30 3 * * *' (3:30 every day), or an empty text to switch a task off",
    });
  return new Map(wanted.map((name) => [name, nextTimeOf(settings[name], timeZone)]));
}

function nextTimeOf(expression: string, timezone: string): NextTime {
  // Never started: only its times are asked for, since its own timer would not make up for what was missed.
  const task = createTask(expression, () => undefined, { timezone });
  return () => task.getNextRuns(1)[0]?.getTime() ?? Infinity;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
