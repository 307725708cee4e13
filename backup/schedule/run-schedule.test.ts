import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { settingsSchema } from '../../core/configuration.ts';
import { makeSecretFolder } from '../../core/files.ts';
import { homePaths } from '../../core/home.ts';
import { scratch } from '../../test/support/scratch.ts';
import { nextTimes } from './cron.ts';
import { runSchedule, type ScheduleParts } from './run-schedule.ts';
import { readSchedule } from './state.ts';
import { TASK_NAMES, type ScheduleSettings, type TaskName } from './tasks.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Saturday; the drill is due on Sundays at 4:00. */
const START = Date.UTC(2026, 10, 28, 2, 40);
const files = scratch();

let home: ScheduleParts['home'];
let ran: string[];
let problems: string[];
/** How long each task takes, and whether it fails. */
let takes: Partial<Record<TaskName, number>>;
let fails: Set<TaskName>;
let underWay: number;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  home = { paths: homePaths(join(files.folder, randomUUID())) };
  makeSecretFolder(home.paths.backup);
  [ran, problems, takes, fails, underWay] = [[], [], {}, new Set(), 0];
});
afterEach(() => vi.useRealTimers());

function settings(more: Partial<ScheduleSettings> = {}): ScheduleSettings {
  return { ...settingsSchema.parse({}).backup.schedule, jitterSeconds: 0, ...more };
}

async function task(name: TaskName, signal: AbortSignal): Promise<void> {
  expect((underWay += 1)).toBe(1);
  const began = new Date().toISOString().slice(8, 16);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, takes[name] ?? 0);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new Error('broken off'));
      });
    });
    if (fails.has(name)) throw new Error(`${name} cannot`);
  } finally {
    ran.push(`${began} ${name}`);
    underWay -= 1;
  }
}

/** Runs the schedule for so long, as one process would. */
async function process(milliseconds: number, more: Partial<ScheduleSettings> = {}, random = 0): Promise<void> {
  const stop = new AbortController();
  const tasks = Object.fromEntries(
    TASK_NAMES.map((name) => [name, (signal: AbortSignal) => task(name, signal)]),
  ) as unknown as ScheduleParts['tasks'];
  const running = runSchedule({
    ...{ home, settings: settings(more), tasks, clock: systemClock, signal: stop.signal, random: () => random },
    onProblem: (message) => problems.push(message),
  });
  await vi.advanceTimersByTimeAsync(milliseconds);
  stop.abort();
  await vi.advanceTimersByTimeAsync(0);
  await running;
}

describe('a schedule', () => {
  it('runs every task at its times', async () => {
    await process(26 * HOUR, { snapshot: '0 */6 * * *' });
    expect(ran).toEqual([
      '28T03:30 verify',
      '28T03:45 prune',
      '28T06:00 snapshot',
      '28T12:00 snapshot',
      '28T18:00 snapshot',
      '29T00:00 snapshot',
      '29T03:30 verify',
      '29T03:45 prune',
      '29T04:00 drill',
    ]);
    expect(readSchedule(home)).toMatchObject({
      drill: { startedAt: Date.UTC(2026, 10, 29, 4), result: 'done', due: Date.UTC(2026, 11, 6, 4), failures: 0 },
      snapshot: { result: 'done', due: Date.UTC(2026, 10, 29, 6) },
    });
  });

  it('has the days of its time zone, over a change of its clocks', async () => {
    vi.setSystemTime(Date.UTC(2026, 9, 24));
    // Clocks of Berlin are set back by an hour on 25 October at 1:00 UTC.
    await process(3 * DAY, { timeZone: 'Europe/Berlin', snapshot: '', verify: '', drill: '', prune: '30 4 * * *' });
    expect(ran).toEqual(['24T02:30 prune', '25T03:30 prune', '26T03:30 prune']);
  });

  it('never runs two at once: what comes due meanwhile runs afterwards, once', async () => {
    takes = { verify: 3 * HOUR };
    await process(5 * HOUR);
    const expected = [
      '28T03:00 snapshot',
      '28T03:30 verify',
      '28T06:30 prune',
      '28T06:30 snapshot',
      '28T07:00 snapshot',
    ];
    expect(ran.toSorted()).toEqual(expected);
  });

  it('runs a task whose own time came while it ran once more', async () => {
    takes = { snapshot: 150 * MINUTE };
    await process(7 * HOUR, { verify: '', prune: '', drill: '' });
    expect(ran).toEqual(['28T03:00 snapshot', '28T05:30 snapshot', '28T08:00 snapshot']);
  });

  it('makes up for times that nobody was there for, by one run', async () => {
    await process(30 * MINUTE);
    vi.setSystemTime(START + 3 * DAY);
    await process(MINUTE);
    expect(ran.slice(1).toSorted()).toEqual([
      '01T02:40 drill',
      '01T02:40 prune',
      '01T02:40 snapshot',
      '01T02:40 verify',
    ]);
  });

  it('notices that the machine slept', async () => {
    const running = process(30 * MINUTE);
    await vi.advanceTimersByTimeAsync(MINUTE);
    vi.setSystemTime(START + HOUR);
    await running;
    expect(ran[0]).toBe('28T03:40 snapshot');
  });

  it('begins later by the jitter', async () => {
    await process(30 * MINUTE, { jitterSeconds: 240 }, 0.5);
    expect(ran).toEqual(['28T03:02 snapshot']);
  });

  it('waits anew for a time that was changed', async () => {
    await process(10 * MINUTE);
    vi.setSystemTime(START + DAY);
    await process(HOUR, { snapshot: '10 * * * *', verify: '', prune: '', drill: '' });
    expect(ran).toEqual(['29T03:10 snapshot']);
  });

  it('switches off what has no expression, and ends at once where nothing is left', async () => {
    await process(2 * DAY, { snapshot: '', verify: ' ', prune: '', drill: '' });
    expect(ran).toEqual([]);
    expect(readSchedule(home)).toEqual({});
  });
});

describe('a task that fails', () => {
  it('is tried again at its next time, and says why', async () => {
    fails.add('verify');
    await process(DAY + HOUR, { snapshot: '', prune: '', drill: '' });
    expect(ran).toEqual(['28T03:30 verify', '29T03:30 verify']);
    expect(readSchedule(home).verify).toMatchObject({ result: 'failed', message: 'verify cannot', failures: 2 });
    expect(problems).toEqual(Array(2).fill('the scheduled verify failed: verify cannot'));
  });

  it('if a snapshot, is tried again soon, three times', async () => {
    fails.add('snapshot');
    await process(90 * MINUTE, { verify: '', prune: '', drill: '' });
    expect(ran).toEqual(['03:00', '03:05', '03:10', '03:15', '04:00'].map((time) => `28T${time} snapshot`));
    fails.clear();
    await process(HOUR, { verify: '', prune: '', drill: '' });
    expect(readSchedule(home).snapshot).toMatchObject({ result: 'done', failures: 0 });
    expect(readSchedule(home).snapshot?.message).toBeUndefined();
  });

  it('because it was broken off is the first thing that the next process does', async () => {
    takes = { snapshot: HOUR };
    await process(30 * MINUTE);
    expect(readSchedule(home).snapshot?.result).toBe('running');
    takes = {};
    await process(MINUTE);
    expect(ran).toEqual(['28T03:00 snapshot', '28T03:10 snapshot']);
    expect(problems).toEqual([]);
  });
});

describe('the schedule’s file', () => {
  it('that is damaged is as none', async () => {
    await process(30 * MINUTE);
    writeFileSync(join(home.paths.backup, 'schedule.json'), '{"snapshot":');
    vi.setSystemTime(START + 3 * DAY);
    await process(10 * MINUTE);
    expect(ran).toEqual(['28T03:00 snapshot']);
  });
});

describe('settings of a schedule', () => {
  it.each([
    { more: { snapshot: '61 * * * *' }, said: 'backup.schedule.snapshot' },
    { more: { drill: 'sometimes' }, said: 'backup.schedule.drill' },
    { more: { timeZone: 'Mars/Olympus' }, said: 'backup.schedule.timeZone' },
  ])('are refused where they are $more', ({ more, said }) => {
    expect(() => nextTimes(settings(more))).toThrow(said);
  });
});
