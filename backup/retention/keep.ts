import type { Settings } from '../../core/configuration.ts';
import { periodsIn, type PeriodName } from './periods.ts';

export type RetentionRules = Settings['backup']['retention'];

/** What the rules look at of a backup. */
export interface RetainedBackup {
  readonly id: string;
  /** When its snapshot was complete, in milliseconds since the epoch. */
  readonly snapshotAt: number;
  /** A safety copy that a restore took. */
  readonly beforeRestore: boolean;
  /** How long the longest-lived of its rows may be kept, in milliseconds; undefined where a row has no end. */
  readonly lifetime: number | undefined;
  /** Whether an object that it needs is known to be damaged or gone. */
  readonly isDamaged: boolean;
}

export interface Retention {
  readonly id: string;
  /** What asks for it; it goes where nothing does. */
  readonly reasons: readonly string[];
}

export interface RetentionMoment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** IANA name of the zone in which days begin. */
  readonly timeZone: string;
}

const HOUR = 3_600_000;

/**
 * Which backups stay, in the order given. A rule such as `daily: 7` keeps the newest of each of the last seven days that
 * have one. A backup that is older than all its rows may be is kept by no rule. Safety copies stay `withinHours` and no
 * longer, and are not counted. A backup that is damaged takes nobody's place: the others are counted as if it were not
 * there. Whatever the rules say, the newest backup that is whole stays.
 */
export function retain(
  backups: readonly RetainedBackup[],
  rules: RetentionRules,
  moment: RetentionMoment,
): readonly Retention[] {
  const reasons = new Map<string, Set<string>>(backups.map(({ id }) => [id, new Set()]));
  const keep = ({ id }: RetainedBackup, reason: string): void => void reasons.get(id)?.add(reason);

  const newestFirst = backups.toSorted(byAge);
  const counted = newestFirst.filter(({ beforeRestore }) => !beforeRestore);
  const whole = counted.filter(({ isDamaged }) => !isDamaged);
  const alive = newestFirst.filter(({ snapshotAt, lifetime = Infinity }) => moment.now - snapshotAt <= lifetime);

  for (const countable of [counted, whole]) keepCounted(intersection(countable, alive), rules, moment.timeZone, keep);
  for (const backup of alive) {
    if (moment.now - backup.snapshotAt <= rules.withinHours * HOUR) keep(backup, `within ${rules.withinHours} h`);
  }
  const newest = whole[0] ?? newestFirst.find(({ isDamaged }) => !isDamaged) ?? newestFirst[0];
  if (newest !== undefined) keep(newest, 'the newest');
  return backups.map(({ id }) => ({ id, reasons: [...(reasons.get(id) ?? [])] }));
}

const PERIODS: readonly PeriodName[] = ['hourly', 'daily', 'weekly', 'monthly'];

/** The rules that count backups, on those given, the newest first. */
function keepCounted(
  backups: readonly RetainedBackup[],
  rules: RetentionRules,
  timeZone: string,
  keep: (backup: RetainedBackup, reason: string) => void,
): void {
  for (const backup of backups.slice(0, rules.keepLast)) keep(backup, `last ${rules.keepLast}`);
  const periods = periodsIn(timeZone);
  for (const period of PERIODS) {
    const seen = new Set<string>();
    for (const backup of backups) {
      const name = periods[period](backup.snapshotAt);
      if (seen.has(name)) continue;
      if (seen.size === rules[period]) break;
      seen.add(name);
      keep(backup, period);
    }
  }
}

function byAge(a: RetainedBackup, b: RetainedBackup): number {
  return b.snapshotAt - a.snapshotAt || (a.id < b.id ? 1 : -1);
}

function intersection<T>(some: readonly T[], others: readonly T[]): readonly T[] {
  const wanted = new Set(others);
  return some.filter((one) => wanted.has(one));
}
