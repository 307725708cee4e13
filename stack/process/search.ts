import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { identityOf, type ProcessIdentity } from './identity.ts';

const PROC = '/proc';
const OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * The process of this user whose command line ends with exactly that, if any: for an end that no two programs share, such
 * as the path of a file of options in one home.
 */
export function findByArgument(argument: string): ProcessIdentity | undefined {
  const user = process.getuid?.();
  for (const { pid, uid, args } of existsSync(`${PROC}/self/cmdline`) ? fromProc() : fromPs())
    if (uid === user && pid !== process.pid && args.endsWith(` ${argument}`)) return identityOf(pid);
  return undefined;
}

interface Listed {
  readonly pid: number;
  readonly uid: number;
  readonly args: string;
}

/** Linux: images of containers have no `ps`. */
function* fromProc(): Generator<Listed> {
  for (const name of readdirSync(PROC)) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const args = readFileSync(`${PROC}/${name}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
      yield { pid: Number(name), uid: statSync(`${PROC}/${name}`).uid, args };
    } catch {
      // It has ended meanwhile.
    }
  }
}

function* fromPs(): Generator<Listed> {
  const listing = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,uid=,args='], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES,
  });
  for (const line of listing.split('\n')) {
    const [, pid, uid, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid !== undefined) yield { pid: Number(pid), uid: Number(uid), args: args ?? '' };
  }
}
