import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

interface Listener {
  readonly pid: number;
  readonly command: string;
}

const SOCKET_TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** In /proc/net/tcp: the state "listening". */
const LISTENING = '0A';

/** Who listens on a TCP port, as far as this user may see: from /proc on Linux, from `lsof` elsewhere. */
export function listenerOf(port: number): Listener | undefined {
  return existsSync(SOCKET_TABLES[0] ?? '') ? fromProc(port) : fromLsof(port);
}

function fromProc(port: number): Listener | undefined {
  const sockets = new Set(SOCKET_TABLES.flatMap((table) => listeningInodes(table, port)).map((n) => `socket:[${n}]`));
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const files = readdirSync(`/proc/${pid}/fd`);
      if (files.some((file) => sockets.has(linkTarget(`/proc/${pid}/fd/${file}`))))
        return { pid: Number(pid), command: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
    } catch {
      // Another user's process, or one that has just ended: it cannot be named.
    }
  }
  return undefined;
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function listeningInodes(table: string, port: number): string[] {
  if (!existsSync(table)) return [];
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync(table, 'utf8').split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) === true && columns[3] === LISTENING)
    .map((columns) => columns[9] ?? '');
}

function fromLsof(port: number): Listener | undefined {
  try {
    const output = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = /^p(\d+)$/m.exec(output)?.[1];
    return pid === undefined ? undefined : { pid: Number(pid), command: /^c(.*)$/m.exec(output)?.[1] ?? '' };
  } catch {
    return undefined;
  }
}
