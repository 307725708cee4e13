import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConnection, loadSettings, type Settings } from '../../../core/configuration.ts';
import type { Connection } from '../../../core/connection.ts';
import { SECRET_FOLDER_MODE } from '../../../core/files.ts';
import { openHome, type Home } from '../../../core/home.ts';
import { loadContract } from '../../../governance/contract/index.ts';
import { stopStack } from '../../../stack/index.ts';
import type { BenchOptions } from '../options.ts';
import { CLEAR, SMART_HOME, variantOf, type BenchContract } from './contracts.ts';
import { writeRecords } from './records.ts';
import { up } from './up.ts';

/** Kafka and Cassandra of the bench, in a temporary home. */
export interface Servers {
  readonly home: Home;
  readonly settings: Settings;
  readonly connection: Connection;
  /** How long `wardline up` took on the empty home. */
  readonly upSeconds: number;
}

/** What the parts share. Each thing is made when the first part asks for it, so that a part alone costs only its own. */
export interface Rig {
  readonly options: BenchOptions;
  /** A temporary folder, removed at the end. */
  readonly folder: string;
  readonly sealed: BenchContract;
  readonly clear: BenchContract;
  report(line: string): void;
  servers(): Promise<Servers>;
  /** The same with servers and a home of their own from here on, which hold nothing that a part before left. */
  freshServers(): Promise<Servers>;
  /** A CSV file of at least so many records; the same records whatever the number. */
  records(count: number): Promise<string>;
  close(): Promise<void>;
}

export function openRig(options: BenchOptions, report: (line: string) => void): Rig {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-bench-'));
  const contracts = join(folder, 'contracts');
  mkdirSync(contracts, { mode: SECRET_FOLDER_MODE });
  let homes = 0;
  let servers: Promise<Servers> | undefined;
  let file: { readonly count: number; readonly path: string } | undefined;

  const startServers = async (): Promise<Servers> => {
    report('starting Kafka and Cassandra');
    homes += 1;
    const path = join(folder, `home-${homes}`);
    const upSeconds = await up(path);
    const home = openHome(path);
    const settings = loadSettings(home);
    return { home, settings, connection: loadConnection(home, settings), upSeconds };
  };

  const stopServers = async (): Promise<void> => {
    const started = await servers?.catch(() => undefined);
    servers = undefined;
    if (started !== undefined) await stopStack(started.home, { wipe: true });
  };

  return {
    options,
    folder,
    sealed: { path: SMART_HOME, contract: loadContract(SMART_HOME) },
    clear: variantOf(contracts, CLEAR),
    report,
    servers: () => (servers ??= startServers()),
    async freshServers() {
      await stopServers();
      return (servers = startServers());
    },
    async records(count) {
      if (file === undefined || file.count < count) {
        report(`writing ${count} records as CSV`);
        file = { count, path: join(folder, 'records.csv') };
        await writeRecords(file.path, count);
      }
      return file.path;
    },
    async close() {
      await stopServers();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
