import { inject } from 'vitest';
import { loadConnection, loadSettings, type Settings } from '../../core/configuration.ts';
import type { Connection } from '../../core/connection.ts';
import { openHome, type Home } from '../../core/home.ts';

export interface RunningStack {
  readonly home: Home;
  readonly settings: Settings;
  readonly connection: Connection;
}

/** The servers that global-stack.ts started for this run. Tests share them: each uses contracts, topics and tables of its own. */
export function withStack(): RunningStack {
  const home = openHome(inject('stackHome'));
  const settings = loadSettings(home);
  return { home, settings, connection: loadConnection(home, settings) };
}
