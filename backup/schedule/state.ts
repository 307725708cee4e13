import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { TASK_NAMES, type TaskName } from './tasks.ts';

const moment = z.int();

/** What became of a task, and when it is to be run next. Times are in milliseconds since the epoch. */
const taskState = z.object({
  /** What `due` was reckoned by: once it is another, so is `due`. */
  expression: z.string(),
  timeZone: z.string(),
  due: moment,
  startedAt: moment.optional(),
  endedAt: moment.optional(),
  result: z.enum(['running', 'done', 'failed']).optional(),
  /** Why it failed. */
  message: z.string().optional(),
  /** In a row. */
  failures: z.int().min(0),
});

const scheduleState = z.partialRecord(z.enum(TASK_NAMES), taskState);

export type TaskState = Readonly<z.infer<typeof taskState>>;
export type ScheduleState = Readonly<Partial<Record<TaskName, TaskState>>>;

/** What the schedule of a home has come to; empty where it never ran, or where the file cannot be read. */
export function readSchedule(home: Pick<Home, 'paths'>): ScheduleState {
  try {
    return scheduleState.parse(JSON.parse(readIfPresent(pathOf(home)) ?? '{}'));
  } catch {
    // Then every task waits for its next time.
    return {};
  }
}

export function writeSchedule(home: Pick<Home, 'paths'>, state: ScheduleState): void {
  makeSecretFolder(home.paths.backup);
  writeFileAtomic(pathOf(home), `${JSON.stringify(state, null, 2)}\n`);
}

function pathOf({ paths }: Pick<Home, 'paths'>): string {
  return join(paths.backup, 'schedule.json');
}
