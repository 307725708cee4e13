import { execFileSync } from 'node:child_process';
import { identityOf, type ProcessIdentity } from './identity.ts';

const OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * The process of this user whose command line ends with exactly that, if any: for an end that no two programs share, such
 * as the path of a file of options in one home.
 */
export function findByArgument(argument: string): ProcessIdentity | undefined {
  const user = process.getuid?.();
  const listing = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,uid=,args='], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES,
  });
  for (const line of listing.split('\n')) {
    const [, pid, uid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || Number(uid) !== user) continue;
    if (args?.endsWith(` ${argument}`) === true && Number(pid) !== process.pid) return identityOf(Number(pid));
  }
  return undefined;
}
