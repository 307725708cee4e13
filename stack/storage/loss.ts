import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeSecretFolder, readIfPresent, syncFolder, writeFileAtomic } from '../../core/files.ts';
import type { Home } from '../../core/home.ts';
import { SERVER_NAMES, stackLayout, type ServerName } from '../layout.ts';
import { signal } from '../process/identity.ts';
import { runningServer } from '../supervisor/control.ts';

/** What is known of a server's data that was found gone. Times are milliseconds since the epoch. */
const serverLoss = z.object({
  foundAt: z.number(),
  /** The last sign that the servers still worked; null where the home holds none. What came later was never acknowledged. */
  lastSign: z.number().nullable(),
});
const lossFile = z.object({
  kafka: serverLoss.optional(),
  cassandra: serverLoss.optional(),
});

/** The servers that were made anew because their data was gone, until it is restored or given up. */
export type Loss = Readonly<z.infer<typeof lossFile>>;

/** What the home's servers lost and nobody has restored or given up yet; undefined where nothing is lost. */
export function readLoss(home: Home): Loss | undefined {
  const text = readIfPresent(stackLayout(home).supervisor.loss);
  return text === undefined ? undefined : lossFile.parse(JSON.parse(text));
}

/** Notes that the loss is made good, or given up. Does nothing where nothing was lost. */
export function clearLoss(home: Home): void {
  rmSync(stackLayout(home).supervisor.loss, { force: true });
}

/**
 * Notes that these servers' data is gone, and ends at once what still runs of them: it could only work on files that nobody
 * finds again. What is known already stays, being nearer to the moment of the loss. Returns all that is noted.
 */
export function noteLoss(home: Home, lost: readonly ServerName[], now: number): Loss {
  const found = { foundAt: now, lastSign: lastSign(home) ?? null };
  const loss: Loss = { ...Object.fromEntries(lost.map((server) => [server, found])), ...readLoss(home) };
  makeSecretFolder(stackLayout(home).supervisor.folder);
  writeFileAtomic(stackLayout(home).supervisor.loss, `${JSON.stringify(loss)}\n`);
  for (const server of lost) {
    const running = runningServer(home, server);
    if (running !== undefined) signal(running, 'SIGKILL');
  }
  return loss;
}

/**
 * Makes way for empty servers in place of those whose data is gone and noted as lost. What is left of it is set aside,
 * nothing is deleted. None of them may run. After a crash at any point the next call goes on.
 */
export function giveUpStorage(home: Home, lost: readonly ServerName[], now: number): void {
  const { supervisor, kafka, cassandra } = stackLayout(home);
  if (lost.includes('kafka')) {
    setAside(kafka.data, now);
    rmSync(kafka.formatted, { force: true });
  }
  if (lost.includes('cassandra')) for (const folder of [cassandra.data, cassandra.commitLog]) setAside(folder, now);
  // Last: it is by this mark that the loss is seen.
  rmSync(supervisor.bootstrapped, { force: true });
  syncFolder(supervisor.folder);
}

function setAside(folder: string, now: number): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    renameSync(folder, `${folder}.lost-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`);
  makeSecretFolder(folder);
}

/**
 * The newest moment, in milliseconds, at which the servers are known to have worked: by what they logged themselves, and
 * by what is only written once they acknowledged something (checkpoints, and how far sources have come).
 */
function lastSign(home: Home): number | undefined {
  const layout = stackLayout(home);
  const logs = SERVER_NAMES.map((server) => layout[server].log);
  const acknowledged = [home.paths.checkpoints, home.paths.positions].flatMap(filesBelow);
  const times = [...logs, ...acknowledged].flatMap((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? [] : [found.mtimeMs];
  });
  return times.length === 0 ? undefined : Math.max(...times);
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}
