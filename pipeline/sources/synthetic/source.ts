import { WardlineError } from '../../../core/errors/errors.ts';
import type { Raw } from '../../../core/record.ts';
import type { Source } from '../source.ts';
import { CIRCUIT_FIELDS, circuitPowers, metered } from './circuits.ts';
import { unit } from './random.ts';
import { MINUTES_PER_REPORT, isDay, weatherOf, type Weather } from './weather.ts';

export interface SyntheticOptions {
  readonly seed: number;
  /** How many homes report each minute. */
  readonly homes: number;
  readonly batchRecords: number;
}

/** When the data set begins, in seconds since the epoch: 2016-01-01T05:00:00Z. */
const BEGINNING = 1_451_624_400;
const SECONDS_PER_MINUTE = 60;
const WEATHER_FIELDS = [
  'temperature',
  'icon',
  'humidity',
  'visibility',
  'summary',
  'apparentTemperature',
  'pressure',
  'windSpeed',
  'cloudCover',
  'windBearing',
  'precipIntensity',
  'dewPoint',
  'precipProbability',
] as const satisfies readonly (keyof Weather)[];

/** The fields of a reading, spelled as the data set does; `home_id` it lacks. */
export const SYNTHETIC_FIELDS: readonly string[] = [
  'home_id',
  'time',
  'use [kW]',
  'gen [kW]',
  'House overall [kW]',
  ...CIRCUIT_FIELDS,
  'Solar [kW]',
  ...WEATHER_FIELDS,
];

/**
 * Made-up readings of a number of homes, one a minute each, without end, close to the figures of the public smart-home data
 * set. The same seed gives the same readings; position p is home (p − 1) mod homes in minute (p − 1) ÷ homes.
 */
export function syntheticSource({ seed, homes, batchRecords }: SyntheticOptions): Source {
  if (!Number.isSafeInteger(homes) || homes < 1 || !Number.isSafeInteger(seed)) {
    throw new WardlineError('USAGE', 'a synthetic source needs a whole seed and at least one home', {
      hint: 'for example: --source synthetic --seed 1 --homes 100',
    });
  }
  return {
    name: 'synthetic',
    identity: { format: 'synthetic', seed, homes },
    fingerprint: () => Promise.resolve(undefined),
    async *batches(fields, { from, signal }) {
      const columns = columnsOf(fields);
      const readings = createReadings(seed, homes);
      for (let next = from + 1; signal?.aborted !== true; next += batchRecords) {
        yield Array.from({ length: batchRecords }, (_unused, offset): Raw => {
          const reading = readings(next + offset);
          return { values: columns.map((column) => reading[column]), position: next + offset };
        });
        // Lets timers and sockets have their turn: nothing here ever waits by itself.
        await new Promise(setImmediate);
      }
    },
  };
}

function columnsOf(fields: readonly string[]): readonly number[] {
  const missing = fields.filter((field) => !SYNTHETIC_FIELDS.includes(field));
  if (missing.length === 0) return fields.map((field) => SYNTHETIC_FIELDS.indexOf(field));
  throw new WardlineError('SOURCE_COLUMNS_MISSING', `the synthetic source does not make: ${missing.join(', ')}`, {
    hint: 'give them with --set FIELD=VALUE, or use a contract for smart-home readings',
  });
}

/** Gives the reading at a position, in the order of `SYNTHETIC_FIELDS`. */
function createReadings(seed: number, homes: number): (position: number) => readonly (string | number)[] {
  const names = Array.from({ length: homes }, (_unused, home) => `home-${String(home + 1).padStart(4, '0')}`);
  const firstMinute = BEGINNING / SECONDS_PER_MINUTE;
  let block = -1;
  let weather: readonly (string | number)[] = [];
  let clouds = 0;

  return (position) => {
    const home = (position - 1) % homes;
    const minute = Math.floor((position - 1) / homes);
    if (Math.floor(minute / MINUTES_PER_REPORT) !== block) {
      block = Math.floor(minute / MINUTES_PER_REPORT);
      const report = weatherOf(seed, block, firstMinute + block * MINUTES_PER_REPORT);
      weather = WEATHER_FIELDS.map((field) => report[field]);
      clouds = typeof report.cloudCover === 'number' ? report.cloudCover : 0;
    }
    const powers = circuitPowers(seed, home, homes, minute);
    const use = powers.pop() ?? 0;
    const solar = metered(solarPower(seed, home, firstMinute + minute, clouds));
    const time = BEGINNING + minute * SECONDS_PER_MINUTE;
    return [names[home] ?? '', time, use, solar, use, ...powers, solar, ...weather];
  };
}

/** Kilowatts that the panels give: a little at night, where the inverter's own reading remains; most at noon, less under clouds. */
function solarPower(seed: number, home: number, minute: number, clouds: number): number {
  const idle = 0.0033 + 0.0003 * unit(seed, home, 200, minute);
  if (!isDay(minute)) return idle;
  const part = ((minute % 1440) / 1440 - 0.5) / 0.47;
  return idle + 0.6 * Math.sin(Math.PI * part) ** 2 * (1 - 0.8 * clouds) * (0.4 + 0.6 * unit(seed, home, 201, minute));
}
