import type { Settings } from '../../core/configuration.ts';

export type ScheduleSettings = Settings['backup']['schedule'];

/** What can be scheduled; each is a setting of `backup.schedule`. */
export const TASK_NAMES = ['snapshot', 'verify', 'prune', 'drill'] as const;

export type TaskName = (typeof TASK_NAMES)[number];
