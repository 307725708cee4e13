import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const ORACLE = join(import.meta.dirname, '../go');
const BUILD_MILLISECONDS = 120_000;

/**
 * Checks a checkpoint and a proof with Go's note package and transparency-dev's Merkle package. Returns what it says,
 * or undefined where there is no Go on this machine, or its packages can neither be found nor fetched.
 */
export function askGo(key: string, checkpoint: string, proof: string): string | undefined {
  try {
    execFileSync('go', ['build', '-o', '/dev/null', '.'], { cwd: ORACLE, stdio: 'pipe', timeout: BUILD_MILLISECONDS });
  } catch {
    return undefined;
  }
  return execFileSync('go', ['run', '.', key, checkpoint, proof], { cwd: ORACLE, encoding: 'utf8' }).trim();
}
