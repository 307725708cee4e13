import { unit } from './random.ts';

/** A circuit is idle or active for `minutes` at a time; `share` of that time it is active. Power in kilowatts. */
interface Circuit {
  readonly field: string;
  readonly idle: number;
  readonly active: number;
  readonly share: number;
  readonly minutes: number;
  /** How far the power varies about its level, as a part of it. */
  readonly spread: number;
}

/** The circuits of a home, with levels and duty cycles near those of the public data set. */
const CIRCUITS: readonly Circuit[] = [
  { field: 'Dishwasher [kW]', idle: 0.00002, active: 1.1, share: 0.028, minutes: 45, spread: 0.5 },
  { field: 'Furnace 1 [kW]', idle: 0.0206, active: 0.51, share: 0.16, minutes: 12, spread: 0.2 },
  { field: 'Furnace 2 [kW]', idle: 0.064, active: 0.66, share: 0.122, minutes: 12, spread: 0.15 },
  { field: 'Home office [kW]', idle: 0.0415, active: 0.42, share: 0.105, minutes: 120, spread: 0.2 },
  { field: 'Fridge [kW]', idle: 0.005, active: 0.13, share: 0.47, minutes: 18, spread: 0.1 },
  { field: 'Wine cellar [kW]', idle: 0.007, active: 0.11, share: 0.34, minutes: 15, spread: 0.1 },
  { field: 'Garage door [kW]', idle: 0.0127, active: 0.35, share: 0.004, minutes: 2, spread: 0.3 },
  { field: 'Kitchen 12 [kW]', idle: 0.0005, active: 0.9, share: 0.0025, minutes: 8, spread: 0.4 },
  { field: 'Kitchen 14 [kW]', idle: 0.0002, active: 1.3, share: 0.005, minutes: 5, spread: 0.4 },
  { field: 'Kitchen 38 [kW]', idle: 0.00001, active: 0.00005, share: 0.02, minutes: 5, spread: 1 },
  { field: 'Barn [kW]', idle: 0.031, active: 2.1, share: 0.013, minutes: 20, spread: 1 },
  { field: 'Well [kW]', idle: 0.001, active: 1.6, share: 0.009, minutes: 3, spread: 0.2 },
  { field: 'Microwave [kW]', idle: 0.0041, active: 1.4, share: 0.005, minutes: 3, spread: 0.5 },
  { field: 'Living room [kW]', idle: 0.0015, active: 0.13, share: 0.26, minutes: 90, spread: 0.4 },
];

export const CIRCUIT_FIELDS: readonly string[] = CIRCUITS.map((circuit) => circuit.field);

/** What is not on a circuit of its own: mostly little, seldom much. Chosen so that the whole has the data set's mean. */
const UNMETERED: Circuit = { field: '', idle: 0.115, active: 1.75, share: 0.0885, minutes: 25, spread: 1 };
/** Once in a long while everything runs: the data set's highest reading. */
const HIGHEST_KILOWATTS = 14.714567;
const SURGE_SHARE = 0.00002;
const SURGE_KILOWATTS = 12.5;
/** The meters count in steps of a sixtieth of a watt. */
const STEPS_PER_KILOWATT = 60_000;
/** How far homes differ in size; they come in pairs, one above and one below, so that their mean is one. */
const LARGEST_DIFFERENCE = 0.5;

/** Power of each circuit in a minute, in the order of `CIRCUIT_FIELDS`, then of the whole home. */
export function circuitPowers(seed: number, home: number, homes: number, minute: number): number[] {
  const size = sizeOf(seed, home, homes);
  const powers = CIRCUITS.map((circuit, index) => metered(powerOf(circuit, seed, home, index, minute) * size));
  let whole = powerOf(UNMETERED, seed, home, CIRCUITS.length, minute) * size;
  for (const power of powers) whole += power;
  if (unit(seed, home, 100, minute) < SURGE_SHARE) whole += SURGE_KILOWATTS;
  powers.push(metered(Math.min(whole, HIGHEST_KILOWATTS)));
  return powers;
}

function powerOf(circuit: Circuit, seed: number, home: number, index: number, minute: number): number {
  const active = unit(seed, home, 2 * index, Math.floor(minute / circuit.minutes)) < circuit.share;
  const level = active ? circuit.active : circuit.idle;
  return level * (1 + circuit.spread * (unit(seed, home, 2 * index + 1, minute) - 0.5));
}

function sizeOf(seed: number, home: number, homes: number): number {
  const lastOfOdd = home === homes - 1 && homes % 2 === 1;
  const difference = LARGEST_DIFFERENCE * unit(seed, Math.floor(home / 2), 101, 0);
  return lastOfOdd ? 1 : 1 + (home % 2 === 0 ? difference : -difference);
}

/** As a meter gives it: in its steps, with nine digits after the point. */
export function metered(kilowatts: number): number {
  return Math.round((Math.round(kilowatts * STEPS_PER_KILOWATT) / STEPS_PER_KILOWATT) * 1e9) / 1e9;
}
