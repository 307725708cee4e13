export type PeriodName = 'hourly' | 'daily' | 'weekly' | 'monthly';

/** For each kind of period, the name of the one that a moment (milliseconds since the epoch) is in. */
export type Periods = Readonly<Record<PeriodName, (moment: number) => string>>;

const DAY = 86_400_000;
const DAYS_OF_WEEK = 7;
/** The epoch began on a Thursday; weeks begin on Monday, as ISO 8601 has it. */
const EPOCH_DAY_OF_WEEK = 3;

/** Periods as the clocks of a time zone have them. Throws a RangeError where there is no such zone. */
export function periodsIn(timeZone: string): Periods {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'iso8601', hourCycle: 'h23', timeZoneName: 'longOffset' },
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' },
  });
  const partsOf = (moment: number): Readonly<Record<string, string>> =>
    Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const daily = (moment: number): string => {
    const { year = '', month = '', day = '' } = partsOf(moment);
    return `${year}-${month}-${day}`;
  };
  return {
    // With the offset, since the hour that clocks are set back by comes twice.
    hourly: (moment) => `${daily(moment)} ${partsOf(moment)['hour'] ?? ''} ${partsOf(moment)['timeZoneName'] ?? ''}`,
    daily,
    weekly: (moment) => String(Math.floor((Date.parse(daily(moment)) / DAY + EPOCH_DAY_OF_WEEK) / DAYS_OF_WEEK)),
    monthly: (moment) => daily(moment).slice(0, -'-00'.length),
  };
}
