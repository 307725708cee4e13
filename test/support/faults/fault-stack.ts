import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { ensureRecovery } from '../../../backup/recipients/recovery.ts';
import { systemClock } from '../../../core/clock.ts';
import { loadSettings } from '../../../core/configuration.ts';
import { openHome, openOrCreateHome, type Home } from '../../../core/home.ts';
import { startStack, stopStack, type ServerName } from '../../../stack/index.ts';
import type { DaemonName } from '../../../stack/layout.ts';
import { signal } from '../../../stack/process/identity.ts';
import { runningServer, supervisorOf } from '../../../stack/supervisor/control.ts';

/** Small windows and small batches: many moments at which a fault can hit. */
export const FINE_WINDOWS = {
  worker: { windowRecords: 400, windowMilliseconds: 20, rowsPerBatch: 4, batchesInFlight: 2 },
  source: { batchRecords: 100 },
} as const;

/** The archiver's own backups at the full hour would meet those of a test. */
export const NO_SCHEDULE = { snapshot: '', verify: '', prune: '', drill: '' };

/** Servers of a test file's own, to be damaged. */
export interface FaultStack {
  readonly home: Home;
  /** A folder for inputs and contracts, beside the home. */
  readonly folder: string;
  up(): Promise<void>;
  down(): Promise<void>;
  signalServer(server: ServerName, name: NodeJS.Signals): void;
  /** Ends a server at once; its supervisor starts it again. */
  killServer(server: ServerName): Promise<void>;
  killSupervisor(): Promise<void>;
  remove(): Promise<void>;
}

const POLL_MILLISECONDS = 50;

/** Starts servers in a home of their own, with these settings and daemons, and without a schedule of backups unless one is set. */
export async function faultStack(
  settings: Readonly<{ backup?: object; worker?: object; source?: object }> = FINE_WINDOWS,
  daemons: readonly DaemonName[] = ['notary'],
): Promise<FaultStack> {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-faults-'));
  const home = openOrCreateHome(join(folder, 'home'));
  const backup = { schedule: NO_SCHEDULE, ...settings.backup };
  writeFileSync(home.paths.configuration, stringify({ ...settings, backup }));
  const up = async (): Promise<void> => {
    await ensureRecovery(home, systemClock);
    await startStack(home, loadSettings(home), () => undefined, undefined, daemons);
  };
  // As `wardline up` does before the servers start.
  await ensureRecovery(home, systemClock);
  await up();
  return {
    home,
    folder,
    up,
    async down() {
      await stopStack(home, { wipe: false });
    },
    signalServer(server, name) {
      const running = runningServer(home, server);
      if (running === undefined) throw new Error(`${server} does not run`);
      signal(running, name);
    },
    async killServer(server) {
      const running = runningServer(home, server);
      if (running === undefined) throw new Error(`${server} does not run`);
      signal(running, 'SIGKILL');
      while (runningServer(home, server)?.started === running.started) await sleep(POLL_MILLISECONDS);
    },
    async killSupervisor() {
      const supervisor = supervisorOf(home);
      if (supervisor === undefined) throw new Error('no supervisor runs');
      signal(supervisor, 'SIGKILL');
      while (supervisorOf(home) !== undefined) await sleep(POLL_MILLISECONDS);
    },
    async remove() {
      await stopStack(openHome(home.path), { wipe: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
