import { WardlineError } from '../../core/errors/errors.ts';
import type { Rate } from './wrap/pace.ts';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const DURATION = /^(\d+(?:\.\d+)?)?([a-z]+)$/;
const RATE = /^(\d+(?:\.\d+)?)\/(.+)$/;
const SPEED = /^(\d+(?:\.\d+)?)x$/;

/** `1000/s` or `1/5s`: records each time. Throws USAGE. */
export function parseRate(text: string): Rate {
  const match = RATE.exec(text);
  const rate = { records: Number(match?.[1]), milliseconds: durationOf(match?.[2] ?? '') ?? 0 };
  if (!(rate.records > 0) || rate.milliseconds <= 0) throw usage('--rate', text, '1000/s or 1/5s');
  return rate;
}

/** `60x`: how many times as fast as the records' own time. Throws USAGE. */
export function parseSpeed(text: string): number {
  const factor = Number(SPEED.exec(text)?.[1]);
  if (!(factor > 0)) throw usage('--speed', text, '60x');
  return factor;
}

/** `60s`, in milliseconds. Throws USAGE. */
export function parseTimeStep(text: string): number {
  const milliseconds = durationOf(text) ?? 0;
  if (milliseconds <= 0) throw usage('--time-step', text, '60s');
  return milliseconds;
}

/** A unit alone means one of it. */
function durationOf(text: string): number | undefined {
  const match = DURATION.exec(text);
  const unit = UNITS.get(match?.[2] ?? '');
  return unit === undefined ? undefined : Number(match?.[1] ?? 1) * unit;
}

function usage(flag: string, text: string, example: string): WardlineError {
  return new WardlineError('USAGE', `${flag} ${text} is not understood`, { hint: `write it like ${example}` });
}
