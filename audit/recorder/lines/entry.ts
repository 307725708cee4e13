/** A line of a server's log as `stack/render/` has it written: time, level, message, and in brackets who logged it. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly message: string;
  /** Missing where the line was cut. */
  readonly logger: string | undefined;
}

const ENTRY =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (.*?)(?: \(([\w.$]+)\))?$/s;

/**
 * Reads a line; undefined where it is none that a server began: the further lines of a message or an exception are
 * indented, and line breaks that a client put into a message are not written as such.
 */
export function parseEntry(text: string): LogEntry | undefined {
  const [, stamp, message, logger] = ENTRY.exec(text) ?? [];
  if (stamp === undefined || message === undefined) return undefined;
  const time = Date.parse(stamp);
  return Number.isNaN(time) ? undefined : { time, message, logger };
}
