import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Client } from 'cassandra-driver';
import { ensureRecovery } from '../../../backup/recipients/recovery.ts';
import { systemClock } from '../../../core/clock.ts';
import type { Home } from '../../../core/home.ts';
import { startWardline } from '../faults/process.ts';
import { CLINIC_CSV, contractVariant, type ContractVariant } from '../inputs/contract-variant.ts';
import { outsideCredentials, plainCassandra } from '../outside.ts';
import type { Scratch } from '../scratch.ts';
import { wardlineOn, type WardlineOutcome } from '../wardline.ts';

/** What a restore says of one table. */
export interface Restored {
  readonly fresh: boolean;
  readonly backedUp: { readonly rows: number; readonly digest: string };
  readonly live: { readonly rows: number; readonly digest: string };
  readonly hidden: number;
}

/** A clinic's table on shared servers, with a backup of it and an archiver at work. */
export interface BackedUpClinic {
  readonly clinic: ContractVariant;
  /** Passes every permission: what an accident at its worst may do. */
  readonly superUser: Client;
  wardline(args: readonly string[], expected?: number): Promise<WardlineOutcome>;
  /** Restores the table from the latest backup. */
  restore(...args: readonly string[]): Promise<WardlineOutcome>;
  read(subject: string): Promise<WardlineOutcome>;
  /** Stores three more records of a patient, of a day of their own. */
  store(patient: string, day: number): Promise<WardlineOutcome>;
  /** Count and digest of all rows as any client sees them: nothing of the product's own is used. */
  seen(table?: string): Promise<{ rows: number; digest: string }>;
  /** Who has which right on the table. */
  rights(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export async function backedUpClinic(home: Home, files: Scratch, id: string): Promise<BackedUpClinic> {
  const clinic = contractVariant('clinic', files.folder, id);
  const wardline = (args: readonly string[], expected?: number) => wardlineOn(home.path, args, expected);
  const run = (path: string) => wardline(['run', '--contract', clinic.path, '--source', 'csv', '--path', path]);
  await ensureRecovery(home, systemClock);
  const superUser = plainCassandra(await outsideCredentials(home.path, 'break-glass'));
  const archiver = startWardline(home.path, ['archiver']);
  await archiver.says(/copying into/);
  await run(CLINIC_CSV);
  await wardline(['backup', 'create']);
  return {
    ...{ clinic, superUser, wardline },
    restore: (...args) => wardline(['restore', 'latest', '--table', clinic.table, ...args]),
    read: (subject) => wardline(['read', subject, '--contract', clinic.path, '--purpose', 'care']),
    store: (patient, day) => run(files.file(`more-${patient}-${day}.csv`, more(patient, day))),
    async seen(table = clinic.table) {
      const { rows } = await superUser.execute(`SELECT JSON * FROM ${table}`);
      const lines = rows.map((row) => String(row['[json]'])).toSorted();
      return { rows: lines.length, digest: createHash('sha256').update(lines.join('\n')).digest('hex') };
    },
    async rights() {
      const { rows } = await superUser.execute(`LIST ALL PERMISSIONS ON ${clinic.table} NORECURSIVE`);
      return rows.map((row) => `${String(row['role'])} ${String(row['permission'])}`).toSorted();
    },
    async stop() {
      await archiver.stop();
      await superUser.shutdown();
    },
  };
}

export function tableOf({ json }: WardlineOutcome): Restored {
  return (json['tables'] as Restored[])[0] as Restored;
}

function more(patient: string, day: number): string {
  const [heading = '', first = ''] = readFileSync(CLINIC_CSV, 'utf8').split('\n');
  const lines = [0, 1, 2].map((hour) => first.replace(/^[^,]+,[^,]+/, `${patient},2026-03-0${day}T1${hour}:00:00Z`));
  return [heading, ...lines, ''].join('\n');
}
