import { appendFileSync, existsSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A log as a server writes it, rotated as log4j2 and logback do here: the newest rotated file is `.1`. */
export interface RotatedLog {
  readonly path: string;
  write(text: string): void;
  rotate(): void;
  /** Empties the file that is being written, as `: > x.log` does. */
  truncate(): void;
  /** Removes the oldest rotated file. */
  forgetOldest(): void;
}

export function rotatedLog(path: string): RotatedLog {
  const numbers = (): number[] =>
    readdirSync(dirname(path))
      .filter((name) => name.startsWith(`${basename(path)}.`))
      .map((name) => Number(name.slice(basename(path).length + 1)))
      .sort((a, b) => b - a);
  return {
    path,
    write: (text) => appendFileSync(path, text),
    rotate() {
      if (!existsSync(path)) return;
      for (const number of numbers()) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
      renameSync(path, `${path}.1`);
    },
    truncate: () => truncateSync(path, 0),
    forgetOldest: () => rmSync(`${path}.${numbers()[0] ?? 1}`),
  };
}
