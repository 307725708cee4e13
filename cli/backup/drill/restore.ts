import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'cassandra-driver';
import type { RestoredForDrill } from '../../../backup/drill/checks.ts';
import { openSample } from '../../../backup/drill/open-sample.ts';
import type { DrillCheck } from '../../../backup/drill/report.ts';
import { systemClock } from '../../../core/clock.ts';
import { WardlineError } from '../../../core/errors/errors.ts';
import { openHome } from '../../../core/home.ts';
import { parseContract } from '../../../governance/contract/index.ts';
import { accessOf } from '../../../security/connect/access.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { openKeyring } from '../../../security/keyring/keyring.ts';
import { openKeyStore } from '../../../security/keyring/key-store/key-store.ts';
import { discardHome } from '../../../stack/index.ts';
import { createContext, type CommandContext } from '../../context.ts';
import type { RestoreReport } from '../../restore/in-place.ts';
import { restoreIntoHome } from '../../restore/into-home.ts';

const READER = 'reader';

export interface DrillRestoreOptions {
  /** Milliseconds since the epoch. */
  readonly asOf: number;
  readonly identity: string | undefined;
  /** Whether a sample of sealed fields is opened. */
  readonly opensFields: boolean;
}

export interface TimedRestore {
  readonly restored: RestoredForDrill;
  /** From no servers at all to servers that answer the reader with what was restored and verified, in seconds. */
  readonly seconds: number;
  /** Where a sample of fields was opened. */
  readonly sample: DrillCheck | undefined;
}

/**
 * Restores a backup into a new home at `path`, as its stores were at `asOf` (milliseconds since the epoch), and reads of
 * it. The home MUST be removed by removeDrillHome afterwards, however this ends.
 */
export async function restoreForDrill(
  context: CommandContext,
  backup: string,
  path: string,
  { asOf, identity, opensFields }: DrillRestoreOptions,
): Promise<TimedRestore> {
  const settings = context.settings();
  // The home goes on meanwhile: what it stores from now on belongs to no restore that began now.
  const then = { ...settings, backup: { ...settings.backup, asOf: new Date(asOf).toISOString() } };
  const source: CommandContext = { ...context, settings: () => then };
  const started = performance.now();
  const report = await restoreIntoHome(source, backup, identity === undefined ? {} : { identity }, path);
  const target = createContext({ ...context.options, home: path });
  const client = cassandraClient(target.connection(), READER);
  try {
    await answersReader(client, report);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const sample = opensFields ? await openFields(target, client, report) : undefined;
    return { restored: restoredOf(report), seconds, sample };
  } finally {
    await client.shutdown();
  }
}

/** Ends the servers of a drill and removes all that it made. Does nothing where there is none. */
export async function removeDrillHome(path: string): Promise<void> {
  if (existsSync(join(path, 'home.json'))) await discardHome(openHome(path));
  // A copy of a home that was never finished is none yet.
  else rmSync(path, { recursive: true, force: true });
}

/** What serves is what a reader gets an answer from. */
async function answersReader(client: Client, { tables }: RestoreReport): Promise<void> {
  for (const { keyspace, table } of tables) await client.execute(`SELECT * FROM "${keyspace}"."${table}" LIMIT 1`);
}

async function openFields(context: CommandContext, client: Client, { manifest }: RestoreReport): Promise<DrillCheck> {
  const makesNoKey = (): Promise<never> =>
    Promise.reject(new WardlineError('REFUSED_BY_POLICY', 'a drill makes no keys of its own'));
  const keyring = openKeyring({
    ...{ client, clock: systemClock, announce: makesNoKey, escrow: { keep: makesNoKey, takeBack: makesNoKey } },
    keyStore: await openKeyStore(accessOf(context.connection(), READER)),
  });
  const audit = context.audit(READER);
  const contracts = manifest.contracts.filter(({ document }) => document !== '');
  try {
    return await openSample(
      contracts.map(({ id, document }) => parseContract(document, id)),
      { client, keyring, audit },
    );
  } finally {
    keyring.close();
    await audit.close();
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
      ...{ backedUp: { rows: backedUp.rows }, restored: { ...live } },
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
