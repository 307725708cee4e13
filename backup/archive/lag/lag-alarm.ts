import type { EventStatement } from '../../../audit/event/event.ts';

export interface LagAlarmOptions {
  readonly install: string;
  readonly limitMilliseconds: number;
  readonly record: (statement: EventStatement) => Promise<void>;
  readonly onAlarm: (alarm: string) => void;
}

/**
 * Judges how far the archive is behind: one event and one alarm when it comes to be further than the limit, and one event
 * when all is archived again that was behind then.
 */
export function createLagAlarm({ install, limitMilliseconds, record, onAlarm }: LagAlarmOptions) {
  const limit = limitMilliseconds / 1000;
  let isBehind = false;
  let most = 0;
  return async (lag: number): Promise<void> => {
    const seconds = Math.ceil(lag / 1000);
    most = Math.max(most, seconds);
    if (isBehind === lag > limitMilliseconds) return;
    isBehind = !isBehind;
    if (isBehind)
      onAlarm(
        `the log archive is ${seconds} s behind: what is younger is lost with the servers; the limit is ${limit} s`,
      );
    await record({
      action: 'archive.lag',
      object: { type: 'home', id: install },
      outcome: isBehind ? 'failure' : 'success',
      ...(isBehind ? { code: 'LAGGING' } : {}),
      counts: isBehind ? { seconds, limit } : { most_seconds: most, limit },
    });
    most = 0;
  };
}
