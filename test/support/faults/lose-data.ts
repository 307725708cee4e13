import { rmSync } from 'node:fs';
import type { Home } from '../../../core/home.ts';
import { stackLayout, type ServerName } from '../../../stack/layout.ts';
import { signal } from '../../../stack/process/identity.ts';
import { runningServer } from '../../../stack/supervisor/control.ts';

/** Ends servers as a power cut would, and removes all their data before anyone can flush it. */
export function loseData(home: Home, ...servers: readonly ServerName[]): void {
  const { kafka, cassandra } = stackLayout(home);
  const folders = { kafka: [kafka.data], cassandra: [cassandra.data, cassandra.commitLog] };
  for (const server of servers) {
    const running = runningServer(home, server);
    if (running !== undefined) signal(running, 'SIGKILL');
  }
  for (const folder of servers.flatMap((server) => folders[server]))
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
