import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openLogFile, type FollowedLog, type LogFile } from './log-file.ts';

/** What a rotation appends to a name: a number (log4j2 `%i`, logback's fixed window) or a date. Packed files are not read. */
const ROTATED = /^\.(\d[\d.-]*)$/;
/** A rotation renames for a few milliseconds; a listing that never holds still is tried again at the next look. */
const ATTEMPTS = 10;

interface Listed {
  readonly path: string;
  readonly inode: bigint;
  readonly number: number;
}

interface Member {
  readonly file: LogFile;
  readonly number: number;
}

/**
 * Opens the rotated files of a log, the oldest first, and last the one that is being written. Their order is that of
 * their last changes, which renaming leaves alone: whether a higher number is older or newer differs from logger to
 * logger. Files without a complete line are left out. The caller closes them.
 */
export function openFamily(log: FollowedLog): readonly LogFile[] {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const listed = list(log.path);
    const members = openAll(listed, log);
    // Only if nothing was renamed meanwhile is no file missing, and none there twice.
    if (members !== undefined && isSame(listed, list(log.path))) return inOrder(members);
    for (const { file } of members ?? []) file.close();
  }
  return [];
}

function list(path: string): readonly Listed[] {
  if (!existsSync(dirname(path))) return [];
  const names = readdirSync(dirname(path)).flatMap((name) => {
    if (name === basename(path)) return [{ name, number: 0 }];
    const suffix = name.startsWith(basename(path)) ? ROTATED.exec(name.slice(basename(path).length))?.[1] : undefined;
    return suffix === undefined ? [] : [{ name, number: Number(suffix) || 0 }];
  });
  return names.flatMap(({ name, number }) => {
    const found = statSync(join(dirname(path), name), { bigint: true, throwIfNoEntry: false });
    return found === undefined ? [] : [{ path: join(dirname(path), name), inode: found.ino, number }];
  });
}

function openAll(listed: readonly Listed[], log: FollowedLog): readonly Member[] | undefined {
  const members: Member[] = [];
  for (const { path, inode, number } of listed) {
    const file = openLogFile(path, log.name, path !== log.path);
    if (file?.inode === inode) {
      members.push({ file, number: path === log.path ? -1 : number });
      continue;
    }
    for (const opened of [...members.map((member) => member.file), file]) opened?.close();
    return undefined;
  }
  return members;
}

function isSame(before: readonly Listed[], after: readonly Listed[]): boolean {
  const key = (listed: readonly Listed[]): string =>
    listed
      .map(({ path, inode }) => `${inode} ${path}`)
      .sort()
      .join('\n');
  return key(before) === key(after);
}

function inOrder(members: readonly Member[]): readonly LogFile[] {
  const [begun, blank] = [true, false].map((is) =>
    members.filter(({ file }) => is === (file.generation !== undefined)),
  );
  for (const { file } of blank ?? []) file.close();
  return (begun ?? []).sort(isOlder).map(({ file }) => file);
}

/** The one that is being written (-1) is the newest; of two that changed in the same tick, the lower number is newer. */
function isOlder(one: Member, other: Member): number {
  if (one.number === -1 || other.number === -1) return one.number === -1 ? 1 : -1;
  if (one.file.modified !== other.file.modified) return one.file.modified < other.file.modified ? -1 : 1;
  return other.number - one.number;
}
