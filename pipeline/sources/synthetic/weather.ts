import { smoothUnit, unit } from './random.ts';

/** The weather of one block of minutes, as the fields of the data set. Temperatures in °F, wind in mph, pressure in hPa, visibility in miles. */
export interface Weather {
  readonly temperature: number;
  readonly icon: string;
  readonly humidity: number;
  readonly visibility: number;
  readonly summary: string;
  readonly apparentTemperature: number;
  readonly pressure: number;
  readonly windSpeed: number;
  /** From 0 to 1, or the word `cloudCover` in the first block, as in the data set. */
  readonly cloudCover: number | string;
  readonly windBearing: number;
  readonly precipIntensity: number;
  readonly dewPoint: number;
  readonly precipProbability: number;
}

/** So many minutes share one weather report. */
export const MINUTES_PER_REPORT = 58;
const MINUTES_PER_DAY = 1440;
const MINUTES_PER_YEAR = 525_960;
const LOWEST_TEMPERATURE = -12.64;
const HIGHEST_TEMPERATURE = 93.72;
const FREEZING = 32;
/** The coldest hour of the day and the coldest time of the year, as parts of them. */
const COLDEST_HOUR = 0.2;
const COLDEST_SEASON = 0.05;

interface Sky {
  readonly summary: string;
  /** What falls, if anything: it decides the icon, and rain does not fall in frost. */
  readonly falls?: 'rain' | 'snow';
  readonly icon: string;
  readonly cloud: readonly [least: number, most: number];
  readonly weight: number;
}

/** The 18 summaries of the data set, with their icons; a `*` stands for day or night. */
const SKIES: readonly Sky[] = [
  { summary: 'Clear', icon: 'clear-*', cloud: [0, 0.25], weight: 60 },
  { summary: 'Partly Cloudy', icon: 'partly-cloudy-*', cloud: [0.25, 0.6], weight: 14 },
  { summary: 'Mostly Cloudy', icon: 'cloudy', cloud: [0.6, 0.92], weight: 6 },
  { summary: 'Overcast', icon: 'cloudy', cloud: [0.93, 1], weight: 6 },
  { summary: 'Drizzle', falls: 'rain', icon: 'rain', cloud: [0.5, 1], weight: 2 },
  { summary: 'Light Rain', falls: 'rain', icon: 'rain', cloud: [0.5, 1], weight: 4 },
  { summary: 'Rain', falls: 'rain', icon: 'rain', cloud: [0.7, 1], weight: 1.5 },
  { summary: 'Rain and Breezy', falls: 'rain', icon: 'rain', cloud: [0.7, 1], weight: 0.3 },
  { summary: 'Flurries', falls: 'snow', icon: 'snow', cloud: [0.5, 1], weight: 0.5 },
  { summary: 'Flurries and Breezy', falls: 'snow', icon: 'snow', cloud: [0.5, 1], weight: 0.2 },
  { summary: 'Light Snow', falls: 'snow', icon: 'snow', cloud: [0.6, 1], weight: 1.2 },
  { summary: 'Snow', falls: 'snow', icon: 'snow', cloud: [0.7, 1], weight: 0.4 },
  { summary: 'Heavy Snow', falls: 'snow', icon: 'snow', cloud: [0.9, 1], weight: 0.1 },
  { summary: 'Foggy', icon: 'fog', cloud: [0.2, 1], weight: 1 },
  { summary: 'Breezy', icon: 'wind', cloud: [0, 0.3], weight: 1 },
  { summary: 'Breezy and Partly Cloudy', icon: 'wind', cloud: [0.25, 0.6], weight: 0.7 },
  { summary: 'Breezy and Mostly Cloudy', icon: 'wind', cloud: [0.6, 0.9], weight: 0.5 },
  { summary: 'Dry', icon: 'clear-*', cloud: [0, 0.2], weight: 0.1 },
];

/** The report that a block of minutes has; `minute` counts from the epoch. */
export function weatherOf(seed: number, block: number, minute: number): Weather {
  const random = (stream: number): number => unit(seed, 1000 + stream, block, 0);
  const between = (stream: number, least: number, most: number): number => least + random(stream) * (most - least);
  const temperature = temperatureAt(seed, minute);
  const sky = skyOf(random(0), temperature);
  const wet = sky.falls !== undefined;
  const windSpeed = between(1, 0.5, 11) + (sky.summary.includes('Breezy') ? 11 : 0);
  const humidity = wet ? between(2, 0.8, 0.98) : between(2, 0.3, 0.9);
  return {
    temperature: rounded(temperature),
    icon: sky.icon.replace('*', isDay(minute) ? 'day' : 'night'),
    humidity: rounded(humidity),
    visibility: sky.icon === 'fog' ? rounded(between(3, 0.3, 1)) : wet ? rounded(between(3, 2, 9)) : 10,
    summary: sky.summary,
    apparentTemperature: rounded(temperature - windSpeed * 0.7 * Math.max(0, (60 - temperature) / 60)),
    pressure: rounded(1002 + 28 * smoothUnit(seed, 3, minute / 2880)),
    windSpeed: rounded(windSpeed),
    cloudCover: block === 0 ? 'cloudCover' : rounded(between(4, ...sky.cloud)),
    windBearing: Math.floor(random(5) * 360),
    precipIntensity: wet ? rounded(0.002 + random(6) ** 3 * 0.18, 4) : 0,
    dewPoint: rounded(temperature - (1 - humidity) * 36),
    precipProbability: wet ? rounded(between(7, 0.1, 0.84)) : 0,
  };
}

/** Whether the sun is up, roughly. */
export function isDay(minute: number): boolean {
  const part = (minute % MINUTES_PER_DAY) / MINUTES_PER_DAY;
  return part > 0.5 && part < 0.97;
}

function temperatureAt(seed: number, minute: number): number {
  const season = -Math.cos(2 * Math.PI * (minute / MINUTES_PER_YEAR - COLDEST_SEASON));
  const hour = -Math.cos(2 * Math.PI * (minute / MINUTES_PER_DAY - COLDEST_HOUR - 0.2));
  const spell = smoothUnit(seed, 1, minute / 4320) - 0.5 + (smoothUnit(seed, 2, minute / 700) - 0.5) / 2;
  return Math.min(Math.max(50.7 + season * 22 + hour * 7 + spell * 40, LOWEST_TEMPERATURE), HIGHEST_TEMPERATURE);
}

function skyOf(chance: number, temperature: number): Sky {
  const possible = SKIES.filter((sky) => sky.falls !== (temperature < FREEZING ? 'rain' : 'snow'));
  let left = chance * possible.reduce((sum, sky) => sum + sky.weight, 0);
  const found = possible.find((sky) => (left -= sky.weight) < 0) ?? possible[0];
  if (found === undefined) throw new RangeError('the table of skies is empty');
  return found;
}

function rounded(value: number, digits = 2): number {
  const unitOf = 10 ** digits;
  // Adding zero turns −0 into 0.
  return Math.round(value * unitOf) / unitOf + 0;
}
