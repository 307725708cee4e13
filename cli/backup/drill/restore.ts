import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RestoredForDrill } from '../../../backup/drill/checks.ts';
import { openHome } from '../../../core/home.ts';
import { cassandraClient } from '../../../security/connect/cassandra.ts';
import { discardHome } from '../../../stack/index.ts';
import { createContext, type CommandContext } from '../../context.ts';
import type { RestoreReport } from '../../restore/in-place.ts';
import { restoreIntoHome } from '../../restore/into-home.ts';

export interface TimedRestore {
  readonly restored: RestoredForDrill;
  /** From no servers at all to servers that answer the reader with what was restored and verified, in seconds. */
  readonly seconds: number;
}

/**
 * Restores a backup into a new home at `path`, as its stores were at `asOf` (milliseconds since the epoch), and reads of
 * it. The home MUST be removed by removeDrillHome afterwards, however this ends.
 */
export async function restoreForDrill(
  context: CommandContext,
  backup: string,
  path: string,
  { asOf, identity }: { readonly asOf: number; readonly identity: string | undefined },
): Promise<TimedRestore> {
  const settings = context.settings();
  // The home goes on meanwhile: what it stores from now on belongs to no restore that began now.
  const then = { ...settings, backup: { ...settings.backup, asOf: new Date(asOf).toISOString() } };
  const source: CommandContext = { ...context, settings: () => then };
  const started = performance.now();
  const report = await restoreIntoHome(source, backup, identity === undefined ? {} : { identity }, path);
  await readAsReader(createContext({ ...context.options, home: path }), report);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  return { restored: restoredOf(report), seconds };
}

/** Ends the servers of a drill and removes all that it made. Does nothing where there is none. */
export async function removeDrillHome(path: string): Promise<void> {
  if (existsSync(join(path, 'home.json'))) await discardHome(openHome(path));
  // A copy of a home that was never finished is none yet.
  else rmSync(path, { recursive: true, force: true });
}

/** What serves is what a reader gets an answer from. */
async function readAsReader(context: CommandContext, { tables }: RestoreReport): Promise<void> {
  const client = cassandraClient(context.connection(), 'reader');
  try {
    for (const { keyspace, table } of tables) await client.execute(`SELECT * FROM "${keyspace}"."${table}" LIMIT 1`);
  } finally {
    await client.shutdown();
  }
}

function restoredOf({ manifest, tables, servers, audit }: RestoreReport): RestoredForDrill {
  const keys = servers?.keys;
  return {
    files: manifest.files.length,
    hidden: tables.reduce((sum, { hidden }) => sum + hidden, 0),
    gaps: [...new Set(tables.flatMap(({ replayed }) => (replayed?.gaps ?? []).map(({ topic }) => topic)))],
    tables: tables.map(({ keyspace, table, backedUp, replayed, live }) => ({
      ...{ name: `${keyspace}.${table}`, replayed: replayed?.rows ?? 0 },
      ...{ backedUp: { ...backedUp }, restored: { ...live } },
    })),
    topics: (servers?.topics ?? []).map(({ topic, messages }) => ({ name: topic, messages })),
    keys: keys === undefined ? null : { restored: keys.restored, erased: keys.erased, unreadable: keys.failed.length },
    audit:
      audit === undefined
        ? null
        : {
            events: audit.epochs.reduce((sum, { events }) => sum + events, 0),
            findings: audit.findings.length,
            declaredLosses: audit.declaredLosses.length,
          },
  };
}
