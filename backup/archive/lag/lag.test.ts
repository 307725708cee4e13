import { describe, expect, it } from 'vitest';
import type { EventStatement } from '../../../audit/event/event.ts';
import { createLagAlarm } from './lag-alarm.ts';
import { createLagWatch } from './lag-watch.ts';

describe('the lag of the archive', () => {
  it('is nothing while all is archived', () => {
    const watch = createLagWatch();
    watch.observe('t/0', 10, 10, 1000);
    expect(watch.lag(9000)).toBe(0);
  });

  it('counts from when the oldest message that is not archived was first seen', () => {
    const watch = createLagWatch();
    watch.observe('t/0', 10, 0, 1000);
    watch.observe('t/0', 20, 0, 3000);
    expect(watch.lag(5000)).toBe(4000);
    watch.observe('t/0', 20, 10, 6000);
    expect(watch.lag(6000)).toBe(3000);
    watch.observe('t/0', 20, 20, 7000);
    expect(watch.lag(7000)).toBe(0);
  });

  it('is that of the partition that is furthest behind, and not of one that is gone', () => {
    const watch = createLagWatch();
    watch.observe('t/0', 10, 0, 1000);
    watch.observe('u/0', 10, 0, 4000);
    expect(watch.lag(5000)).toBe(4000);
    watch.forget((place) => place === 't/0');
    expect(watch.lag(5000)).toBe(1000);
  });

  it('is never shorter than it is, however long it lasts', () => {
    const watch = createLagWatch();
    for (let second = 1; second <= 1000; second += 1) watch.observe('t/0', second, 0, second * 1000);
    expect(watch.lag(1_000_000)).toBe(999_000);
    // All but the last hundred messages are archived by now.
    watch.observe('t/0', 1000, 900, 1_000_000);
    expect(watch.lag(1_000_000)).toBeGreaterThanOrEqual(99_000);
  });
});

describe('the alarm of the archive', () => {
  it('is one event and one alarm when it falls behind, and one event when it has caught up', async () => {
    const [events, alarms] = [[] as EventStatement[], [] as string[]];
    const judge = createLagAlarm({
      ...{ install: 'i', limitMilliseconds: 60_000 },
      record: (statement) => Promise.resolve(void events.push(statement)),
      onAlarm: (alarm) => alarms.push(alarm),
    });
    for (const lag of [0, 59_000, 61_000, 75_000, 3000, 0]) await judge(lag);
    expect(alarms).toHaveLength(1);
    expect(events).toEqual([
      expect.objectContaining({
        action: 'archive.lag',
        outcome: 'failure',
        code: 'LAGGING',
        counts: { seconds: 61, limit: 60 },
      }),
      expect.objectContaining({ action: 'archive.lag', outcome: 'success', counts: { most_seconds: 75, limit: 60 } }),
    ]);
  });
});
