import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { sleep } from '../../core/clock.ts';
import { makeSecretFolder, readIfPresent } from '../../core/files.ts';
import { identityOf, isRunning, type ProcessIdentity } from './identity.ts';

export interface Lock {
  /** Gives the lock back. */
  release(): void;
}

const POLL_MILLISECONDS = 100;
const claimSchema = z.object({ pid: z.number(), started: z.string(), released: z.boolean() });

/**
 * Takes the lock at `path`, which one process at a time can hold; the lock of a process that died is taken over.
 * Returns undefined where another living process holds it.
 *
 * Each claim is a numbered file that can be created only once, and the highest number is the owner. Claims below it are
 * removed by the owner only and the highest never is, so no two processes can take over one dead owner's lock.
 */
export function tryLock(path: string): Lock | undefined {
  makeSecretFolder(dirname(path));
  const own = identityOf(process.pid) ?? { pid: process.pid, started: 'unknown' };
  const highest = highestClaim(path);
  if (highest > 0 && isHeld(`${path}.${highest}`)) return undefined;
  const mine = `${path}.${highest + 1}`;
  if (!claim(mine, own)) return undefined;
  if (highestClaim(path) !== highest + 1) {
    rmSync(mine, { force: true });
    return undefined;
  }
  for (const number of claimNumbers(path)) if (number <= highest) rmSync(`${path}.${number}`, { force: true });
  return { release: () => replace(mine, { ...own, released: true }) };
}

/** As tryLock, but waits for the holder to finish; `onWait` is told once, with the holder's pid. */
export async function waitForLock(path: string, onWait: (holder: number | undefined) => void): Promise<Lock> {
  for (let told = false; ; told = true) {
    const lock = tryLock(path);
    if (lock !== undefined) return lock;
    if (!told) onWait(holderOf(path)?.pid);
    await sleep(POLL_MILLISECONDS);
  }
}

/** The living process that holds the lock, if any. */
export function holderOf(path: string): ProcessIdentity | undefined {
  const claimed = readClaim(`${path}.${highestClaim(path)}`);
  return claimed === undefined || claimed.released || !isRunning(claimed) ? undefined : claimed;
}

function isHeld(file: string): boolean {
  const claimed = readClaim(file);
  return claimed !== undefined && !claimed.released && isRunning(claimed);
}

function claimNumbers(path: string): number[] {
  const prefix = `${basename(path)}.`;
  // A home whose servers were never started has no folder for locks yet: nobody holds one.
  if (!existsSync(dirname(path))) return [];
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  return names.map((name) => Number(name.slice(prefix.length))).filter((number) => Number.isInteger(number));
}

function highestClaim(path: string): number {
  return Math.max(0, ...claimNumbers(path));
}

function readClaim(file: string): z.infer<typeof claimSchema> | undefined {
  try {
    return claimSchema.safeParse(JSON.parse(readIfPresent(file) ?? 'null')).data;
  } catch {
    // A claim is linked into place complete: what is not JSON was not written by a holder.
    return undefined;
  }
}

/** A link appears with its whole content or not at all, and fails where the name is taken. */
function claim(file: string, owner: ProcessIdentity): boolean {
  const temporary = temporaryBeside(file);
  writeFileSync(temporary, JSON.stringify({ ...owner, released: false }), { mode: 0o600 });
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function replace(file: string, content: object): void {
  const temporary = temporaryBeside(file);
  writeFileSync(temporary, JSON.stringify(content), { mode: 0o600 });
  renameSync(temporary, file);
}

function temporaryBeside(file: string): string {
  return join(dirname(file), `${randomBytes(6).toString('hex')}.tmp`);
}
