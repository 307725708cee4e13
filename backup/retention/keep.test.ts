import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retain, type RetainedBackup, type RetentionRules } from './keep.ts';
import { periodsIn } from './periods.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 28, 12, 30);
const NOTHING: RetentionRules = { keepLast: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, withinHours: 0 };
const UTC = { now: NOW, timeZone: 'UTC' };

function backup(snapshotAt: number, more: Partial<RetainedBackup> = {}): RetainedBackup {
  return {
    id: new Date(snapshotAt).toISOString(),
    snapshotAt,
    beforeRestore: false,
    lifetime: undefined,
    isDamaged: false,
    ...more,
  };
}

/** One backup an hour, the oldest first, the last one at noon. */
function everyHour(count: number, more: Partial<RetainedBackup> = {}): RetainedBackup[] {
  return Array.from({ length: count }, (_, index) => backup(NOW - HOUR / 2 - (count - 1 - index) * HOUR, more));
}

function kept(backups: readonly RetainedBackup[], rules: Partial<RetentionRules>, moment = UTC): string[] {
  return retain(backups, { ...NOTHING, ...rules }, moment)
    .filter(({ reasons }) => reasons.length > 0)
    .map(({ id }) => id.slice(5, 16));
}

describe('what is kept', () => {
  it.each([
    { rules: { keepLast: 3 }, expected: ['11-28T10:00', '11-28T11:00', '11-28T12:00'] },
    { rules: { hourly: 2 }, expected: ['11-28T11:00', '11-28T12:00'] },
    { rules: { daily: 3 }, expected: ['11-26T23:00', '11-27T23:00', '11-28T12:00'] },
    // 22 and 15 November 2026 are Sundays, the last days of their weeks.
    { rules: { weekly: 3 }, expected: ['11-15T23:00', '11-22T23:00', '11-28T12:00'] },
    { rules: { monthly: 3 }, expected: ['09-30T23:00', '10-31T23:00', '11-28T12:00'] },
    { rules: { withinHours: 2 }, expected: ['11-28T11:00', '11-28T12:00'] },
    { rules: { daily: 2, monthly: 2 }, expected: ['10-31T23:00', '11-27T23:00', '11-28T12:00'] },
  ])('by $rules', ({ rules, expected }) => {
    expect(kept(everyHour(24 * 100), rules)).toEqual(expected);
  });

  it('counts periods that have a backup, however long ago', () => {
    const backups = [backup(NOW - 400 * DAY), backup(NOW - 90 * DAY), backup(NOW - DAY)];
    expect(kept(backups, { daily: 3 })).toHaveLength(3);
  });

  it('has days that begin in the time zone', () => {
    // In Kolkata the day before ended at 18:30 UTC.
    const moment = { now: NOW, timeZone: 'Asia/Kolkata' };
    expect(kept(everyHour(48), { daily: 2 }, moment)).toEqual(['11-27T18:00', '11-28T12:00']);
  });

  it('tells the hour that comes twice apart', () => {
    const { hourly } = periodsIn('Europe/Berlin');
    const back = Date.UTC(2026, 9, 25, 0, 30);
    expect(hourly(back)).not.toBe(hourly(back + HOUR));
    expect(hourly(back)).toBe(hourly(back + HOUR / 4));
  });

  it('ends at the longest life of the rows in it, whatever asks for it', () => {
    const backups = everyHour(24 * 10, { lifetime: 2 * DAY });
    const rules = { keepLast: 1000, daily: 100, withinHours: 1000 };
    expect(kept(backups, rules)).toHaveLength(48);
  });

  it('but the newest stays even then', () => {
    const backups = [backup(NOW - 9 * DAY, { lifetime: DAY }), backup(NOW - 8 * DAY, { lifetime: DAY })];
    expect(kept(backups, { keepLast: 5, daily: 5 })).toEqual(['11-20T12:30']);
  });

  it('of safety copies is what is recent, and they take nobody’s place', () => {
    const copies = [backup(NOW - 2 * HOUR, { beforeRestore: true }), backup(NOW - 30 * HOUR, { beforeRestore: true })];
    const backups = [backup(NOW - 50 * HOUR), ...copies, backup(NOW - 40 * HOUR)];
    expect(kept(backups, { keepLast: 2, withinHours: 24 })).toEqual(['11-26T10:30', '11-28T10:30', '11-26T20:30']);
  });

  it('of one that is damaged is no place that another would have', () => {
    const backups = [backup(NOW - 3 * HOUR), backup(NOW - 2 * HOUR), backup(NOW - HOUR, { isDamaged: true })];
    expect(kept(backups, { keepLast: 1 })).toEqual(['11-28T10:30', '11-28T11:30']);
  });
});

describe('for any backups and rules', () => {
  const backups = fc.uniqueArray(fc.integer({ min: NOW - 800 * DAY, max: NOW }), { maxLength: 60 }).chain((times) =>
    fc.tuple(
      ...times.map((time) =>
        fc
          .record({
            beforeRestore: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
            isDamaged: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
            lifetime: fc.option(fc.integer({ min: DAY, max: 800 * DAY }), { nil: undefined }),
          })
          .map((more) => backup(time, more)),
      ),
    ),
  );
  const count = fc.integer({ min: 0, max: 15 });
  const rules = fc.record({
    ...{ keepLast: fc.integer({ min: 1, max: 10 }), hourly: count, daily: count, weekly: count, monthly: count },
    withinHours: fc.integer({ min: 0, max: 100 * 24 }),
  });
  const moment = fc.constantFrom('UTC', 'America/St_Johns', 'Pacific/Apia').map((timeZone) => ({ now: NOW, timeZone }));

  function split(all: readonly RetainedBackup[], asked: RetentionRules, at: typeof UTC) {
    const reasons = new Map(retain(all, asked, at).map((one) => [one.id, one.reasons]));
    return { stays: all.filter(({ id }) => reasons.get(id)?.length !== 0), reasons };
  }
  const isOver = ({ snapshotAt, lifetime = Infinity }: RetainedBackup): boolean => NOW - snapshotAt > lifetime;
  const newestOf = (some: readonly RetainedBackup[]): RetainedBackup | undefined =>
    some.toSorted((a, b) => b.snapshotAt - a.snapshotAt)[0];

  it('the newest whole one stays', () => {
    fc.assert(
      fc.property(backups, rules, moment, (all, asked, at) => {
        const newest = newestOf(all.filter(({ beforeRestore, isDamaged }) => !beforeRestore && !isDamaged));
        if (newest !== undefined) expect(split(all, asked, at).stays).toContain(newest);
        else if (all.length > 0) expect(split(all, asked, at).stays.length).toBeGreaterThan(0);
      }),
    );
  });

  it('nothing but the newest outlives its rows, and no safety copy its hours', () => {
    fc.assert(
      fc.property(backups, rules, moment, (all, asked, at) => {
        const { stays, reasons } = split(all, asked, at);
        for (const one of stays) {
          const isRecent = NOW - one.snapshotAt <= asked.withinHours * HOUR;
          if (isOver(one) || (one.beforeRestore && !isRecent)) expect(reasons.get(one.id)).toEqual(['the newest']);
        }
        expect([...reasons.values()].filter((why) => why.includes('the newest')).length).toBe(all.length === 0 ? 0 : 1);
      }),
    );
  });

  it('pruned once, nothing more goes at the same moment', () => {
    fc.assert(
      fc.property(backups, rules, moment, (all, asked, at) => {
        const { stays } = split(all, asked, at);
        expect(split(stays, asked, at).stays).toEqual(stays);
      }),
    );
  });

  it('each of the last days that had a whole one has one still', () => {
    fc.assert(
      fc.property(backups, rules, moment, (all, asked, at) => {
        const { daily } = periodsIn(at.timeZone);
        const days = (some: readonly RetainedBackup[]): Set<string> =>
          new Set(
            some
              .filter((one) => !one.beforeRestore && !one.isDamaged && !isOver(one))
              .toSorted((a, b) => b.snapshotAt - a.snapshotAt)
              .map(({ snapshotAt }) => daily(snapshotAt)),
          );
        const wanted = [...days(all)].slice(0, asked.daily);
        const has = days(split(all, asked, at).stays);
        for (const day of wanted) expect(has).toContain(day);
      }),
    );
  });

  it('a rule that asks for more never lets anything go', () => {
    fc.assert(
      fc.property(backups, rules, moment, (all, asked, at) => {
        const more = {
          ...asked,
          keepLast: asked.keepLast + 1,
          daily: asked.daily + 2,
          withinHours: asked.withinHours + 5,
        };
        const before = split(all, asked, at).stays;
        const after = split(all, more, at).stays;
        for (const one of before) expect(after).toContain(one);
      }),
    );
  });
});
