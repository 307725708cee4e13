import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';

const schema = z.object({
  id: z.string(),
  backup: z.string(),
  /** RFC 3339. */
  endedAt: z.iso.datetime(),
  passed: z.boolean(),
  /** Measured, in seconds; null where the drill did not come so far. */
  rpoSeconds: z.number().nullable(),
  rtoSeconds: z.number().nullable(),
});

/** The last drill of a home in few words, as `status` shows it. */
export type DrillState = Readonly<z.infer<typeof schema>>;

/** Undefined where there was no drill. */
export function readDrillState(home: Pick<Home, 'paths'>): DrillState | undefined {
  try {
    return schema.parse(JSON.parse(readIfPresent(pathOf(home)) ?? 'null'));
  } catch {
    return undefined;
  }
}

export function writeDrillState(home: Pick<Home, 'paths'>, state: DrillState): void {
  makeSecretFolder(home.paths.backup);
  writeFileAtomic(pathOf(home), `${JSON.stringify(state, null, 2)}\n`);
}

function pathOf({ paths }: Pick<Home, 'paths'>): string {
  return join(paths.backup, 'drill.json');
}
