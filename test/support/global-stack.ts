import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stringify } from 'yaml';
import { ensureRecovery } from '../../backup/recipients/recovery.ts';
import { systemClock } from '../../core/clock.ts';
import { loadSettings } from '../../core/configuration.ts';
import { openHome, openOrCreateHome } from '../../core/home.ts';
import type { DaemonName } from '../../stack/layout.ts';
import { startStack, stopStack } from '../../stack/index.ts';
import { NO_SCHEDULE } from './faults/fault-stack.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the home whose servers run during the whole test run. */
    stackHome: string;
  }
}

/** Without the recorder: its test kills and stops one of its own, and there is one for each home. */
const DAEMONS: readonly DaemonName[] = ['notary'];

/** Starts one Kafka and one Cassandra for the whole run, in a home that is removed afterwards. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = openOrCreateHome(mkdtempSync(join(tmpdir(), 'wardline-test-')));
  writeFileSync(home.paths.configuration, stringify({ backup: { schedule: NO_SCHEDULE } }));
  await ensureRecovery(home, systemClock);
  await startStack(home, loadSettings(home), () => undefined, undefined, DAEMONS);
  project.provide('stackHome', home.path);
  return async () => {
    await stopStack(openHome(home.path), { wipe: true });
    rmSync(home.path, { recursive: true, force: true });
  };
}
