import type { PartResult } from '../figure.ts';
import type { Rig } from '../rig/rig.ts';

/** One part of the bench: measures, and says what it measured. Throws where a measurement itself fails. */
export type Part = (rig: Rig) => Promise<PartResult>;

/** Runs `sides` in turn, `rounds` times: whatever else the machine does meanwhile hits all of them alike. */
export async function inTurn<Names extends string, Result>(
  rounds: number,
  sides: Readonly<Record<Names, () => Promise<Result>>>,
): Promise<Record<Names, Result[]>> {
  const names = Object.keys(sides) as Names[];
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Names, Result[]>;
  for (let round = 0; round < rounds; round += 1) for (const name of names) results[name].push(await sides[name]());
  return results;
}
