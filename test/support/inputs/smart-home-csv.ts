/** The columns of the smart-home data set, as it spells them. */
export const SMART_HOME_COLUMNS = [
  ...['time', 'use [kW]', 'gen [kW]', 'House overall [kW]', 'Dishwasher [kW]', 'Furnace 1 [kW]', 'Furnace 2 [kW]'],
  ...['Home office [kW]', 'Fridge [kW]', 'Wine cellar [kW]', 'Garage door [kW]', 'Kitchen 12 [kW]'],
  ...['Kitchen 14 [kW]', 'Kitchen 38 [kW]', 'Barn [kW]', 'Well [kW]', 'Microwave [kW]', 'Living room [kW]'],
  ...['Solar [kW]', 'temperature', 'icon', 'humidity', 'visibility', 'summary', 'apparentTemperature', 'pressure'],
  ...['windSpeed', 'cloudCover', 'windBearing', 'precipIntensity', 'dewPoint', 'precipProbability'],
] as const;

export type SmartHomeColumn = (typeof SMART_HOME_COLUMNS)[number];
export type Reading = Readonly<Record<SmartHomeColumn, string>>;

/** The data set begins at this second: 2016-01-01T05:00:00Z. */
const FIRST_SECOND = 1_451_624_400;
/** So many rows at the data set's beginning hold the word `cloudCover` instead of a number. */
export const WORD_ROWS = 58;
/** What the data set ends in: a row without its other 31 fields, and no time in it. */
export const BROKEN_LAST_ROW = '\\';

export interface ReadingOptions {
  /** Seconds from one reading to the next. The data set steps by one. */
  readonly step?: number;
  /** Texts instead of those that a reading would have. */
  readonly change?: (index: number) => Partial<Reading>;
}

/** Readings with the data set's quirks: the word in `cloudCover`, exponent forms, `use` equal to the house's power. */
export function readings(count: number, { step = 1, change }: ReadingOptions = {}): Reading[] {
  return Array.from({ length: count }, (_, index) => ({
    ...readingAt(index, FIRST_SECOND + index * step),
    ...change?.(index),
  }));
}

/** A CSV file after RFC 4180; texts with commas, quotes or line breaks are quoted. */
export function csvOf(
  rows: readonly Readonly<Record<string, string>>[],
  columns: readonly string[],
  newline = '\n',
): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))];
  return lines.map((cells) => `${cells.map(quoted).join(',')}${newline}`).join('');
}

export function smartHomeCsv(rows: readonly Reading[]): string {
  return csvOf(rows, SMART_HOME_COLUMNS);
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function readingAt(index: number, time: number): Reading {
  const use = kilowatts(0.9, index, 37);
  const gen = kilowatts(0.003, index, 11);
  return {
    time: String(time),
    'use [kW]': use,
    'gen [kW]': gen,
    'House overall [kW]': use,
    'Dishwasher [kW]': index % 3 === 0 ? '3.33E-05' : '0',
    'Furnace 1 [kW]': kilowatts(0.02, index, 7),
    'Furnace 2 [kW]': kilowatts(0.06, index, 13),
    'Home office [kW]': kilowatts(0.44, index, 17),
    'Fridge [kW]': kilowatts(0.12, index, 19),
    'Wine cellar [kW]': kilowatts(0.006, index, 23),
    'Garage door [kW]': kilowatts(0.013, index, 29),
    'Kitchen 12 [kW]': index % 2 === 0 ? '1.67E-05' : '0.000416667',
    'Kitchen 14 [kW]': kilowatts(0.00015, index, 31),
    'Kitchen 38 [kW]': '0',
    'Barn [kW]': kilowatts(0.031, index, 41),
    'Well [kW]': kilowatts(0.001, index, 43),
    'Microwave [kW]': kilowatts(0.004, index, 47),
    'Living room [kW]': kilowatts(0.0015, index, 53),
    'Solar [kW]': gen,
    temperature: (36.14 - (index % 50) / 10).toFixed(2),
    icon: 'clear-night',
    humidity: '0.62',
    visibility: '10',
    summary: 'Clear',
    apparentTemperature: '29.26',
    pressure: '1016.91',
    windSpeed: '9.18',
    cloudCover: index < WORD_ROWS ? 'cloudCover' : '0.75',
    windBearing: '282',
    precipIntensity: '0',
    dewPoint: '24.4',
    precipProbability: '0',
  };
}

function kilowatts(base: number, index: number, period: number): string {
  return (base * (1 + (index % period) / period)).toFixed(9);
}
