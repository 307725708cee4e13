import { openSync, closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { sleep } from '../core/clock.ts';
import type { Home } from '../core/home.ts';
import { DAEMON_NAMES, stackLayout, type DaemonName, type StackLayout } from './layout.ts';

function daemonLogs(): Record<DaemonName, (layout: StackLayout) => string> {
  const logs = DAEMON_NAMES.map((name) => [name, (layout: StackLayout) => layout.daemons[name]] as const);
  return Object.fromEntries(logs) as Record<DaemonName, (layout: StackLayout) => string>;
}

/** Every log of the stack by the name that `logs` takes. */
const LOGS = {
  kafka: (layout) => layout.kafka.log,
  'kafka-authorizer': (layout) => layout.kafka.authorizerLog,
  'kafka-console': (layout) => layout.kafka.console,
  cassandra: (layout) => layout.cassandra.log,
  'cassandra-audit': (layout) => layout.cassandra.auditLog,
  'cassandra-console': (layout) => layout.cassandra.console,
  ...daemonLogs(),
  supervisor: (layout) => layout.supervisor.log,
} as const satisfies Record<string, (layout: StackLayout) => string>;

export type LogName = keyof typeof LOGS;

export const LOG_NAMES = Object.keys(LOGS) as LogName[];

/** The logs in which the servers of a home say who was refused, and who did what: those that the recorder follows. */
export function serverLogs(home: Home) {
  const { kafka, cassandra } = stackLayout(home);
  return { kafka: kafka.log, 'kafka-authorizer': kafka.authorizerLog, 'cassandra-audit': cassandra.auditLog } as const;
}

interface LogOptions {
  /** How many of the last lines to begin with. */
  readonly lines: number;
  /** Waits for further lines, also over a rotation, until the signal aborts. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

const POLL_MILLISECONDS = 300;
const CHUNK_BYTES = 64 * 1024;

/** The last lines of one log, and with `follow` all that come after. A log that is not there yet is empty. */
export async function* stackLogs(home: Home, name: LogName, options: LogOptions): AsyncGenerator<string, void, void> {
  const path = LOGS[name](stackLayout(home));
  let reader = new LineReader(path);
  try {
    const last: string[] = [];
    for (const line of reader.newLines()) if (last.push(line) > options.lines) last.shift();
    yield* last;
    while (options.follow === true && options.signal?.aborted !== true) {
      await sleep(POLL_MILLISECONDS, options.signal);
      yield* reader.newLines();
      if (!reader.isStale()) continue;
      reader.close();
      reader = new LineReader(path);
    }
  } finally {
    reader.close();
  }
}

/** Reads a growing file line by line. It holds the file open, so that a rotation loses no line. */
class LineReader {
  readonly #path: string;
  readonly #file: number | undefined;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(path: string) {
    this.#path = path;
    this.#file = openIfPresent(path);
  }

  /** The complete lines that were added since the last call. */
  *newLines(): Generator<string, void, void> {
    if (this.#file === undefined) return;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let size = 1; size > 0;) {
      size = readSync(this.#file, chunk, 0, CHUNK_BYTES, null);
      const lines = (this.#rest + this.#decoder.write(chunk.subarray(0, size))).split('\n');
      this.#rest = lines.pop() ?? '';
      yield* lines;
    }
  }

  /** Whether the path now leads to another file than the one that is read. */
  isStale(): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false });
    return now !== undefined && (this.#file === undefined || fstatSync(this.#file).ino !== now.ino);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

function openIfPresent(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : openSync(path, 'r');
}
