import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Home } from '../../core/home.ts';
import { SERVER_NAMES, stackLayout, type ServerName } from '../layout.ts';
import { tryLock } from '../process/lock.ts';
import { isWritable } from './class-archive.ts';
import type { JarFolders } from './jars.ts';

const LONGEST_DUMP = 120_000;

/** Of one server: the class data archive that its starts map, and where a start leaves what it loaded while there is none. */
interface ServerArchive {
  readonly file: string;
  readonly list: string;
}

function serverArchive(home: Home, server: ServerName, jars: JarFolders): ServerArchive {
  return {
    file: join(jars[server], '..', `${server}.jsa`),
    list: join(stackLayout(home)[server].folder, 'classes.list'),
  };
}

/**
 * Options with which a server's JVM starts in two thirds of the time: it maps classes that were loaded and verified once.
 * While there is no archive, it notes what it loads, for keepServerArchives. An archive of another JDK is passed over by the
 * JVM. Cassandra's agent forbids the archive that a JVM writes by itself when it ends (see class-archive.ts).
 */
export function archiveOptions(home: Home, server: ServerName, jars: JarFolders): readonly string[] {
  const { file, list } = serverArchive(home, server, jars);
  if (existsSync(file)) return ['-Xshare:auto', `-XX:SharedArchiveFile=${file}`];
  return isWritable(dirname(file)) ? [`-XX:DumpLoadedClassList=${list}`] : [];
}

/** The servers whose start, in this home, left behind what an archive is made of, where there is none yet. */
export function archivesToKeep(home: Home, jars: JarFolders): readonly ServerName[] {
  return SERVER_NAMES.filter((server) => {
    const { file, list } = serverArchive(home, server, jars);
    return !existsSync(file) && existsSync(list);
  });
}

/**
 * Makes the archives of these servers, which have ended, beside their jars: once for a machine, some ten seconds. Where
 * another process makes one, it is left to it; where it fails, the servers start without.
 */
export async function keepServerArchives(
  home: Home,
  servers: readonly ServerName[],
  { java, jars }: { readonly java: string; readonly jars: JarFolders },
): Promise<void> {
  await Promise.all(servers.map((server) => keep(java, jars[server], serverArchive(home, server, jars))));
}

async function keep(java: string, jars: string, { file, list }: ServerArchive): Promise<void> {
  const lock = tryLock(`${file}.lock`);
  if (lock === undefined) return;
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  const options = ['-Xshare:dump', '-Xlog:disable', `-XX:SharedClassListFile=${list}`];
  try {
    await promisify(execFile)(java, [...options, `-XX:SharedArchiveFile=${temporary}`, '-cp', `${jars}/*`], {
      timeout: LONGEST_DUMP,
    });
    chmodSync(temporary, 0o600);
    renameSync(temporary, file);
  } catch {
    rmSync(temporary, { force: true });
  } finally {
    lock.release();
  }
}
