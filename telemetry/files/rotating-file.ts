import { closeSync, fstatSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { makeSecretFolder } from '../../core/files.ts';

const FILE_MODE = 0o600;
const EXTENSION = '.jsonl';

export interface RotatingFileOptions {
  readonly folder: string;
  /** Which files belong together, such as `traces-worker`. */
  readonly prefix: string;
  readonly maximumBytes: number;
  /** Files of this prefix that are kept; the ones written to longest ago go first. */
  readonly maximumFiles: number;
  readonly clock: Clock;
  /** Keeps processes that share a prefix apart. */
  readonly processId: number;
}

/**
 * Text files of limited size and number, mode 0600, one writer each: `<prefix>-<time>-<process>-<number>.jsonl`.
 * The file is made at the first write. Writes are synchronous, so what was written before a crash of the process stays.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number | undefined;
  #bytes = 0;
  #number = 0;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Appends text, which should end with a line break, whole to one file. Throws what the file system throws. */
  write(text: string | Uint8Array): void {
    const content = typeof text === 'string' ? Buffer.from(text) : text;
    if (this.#descriptor !== undefined && this.#bytes > 0 && this.#bytes + content.length > this.#options.maximumBytes)
      this.close();
    this.#descriptor ??= this.#open();
    for (let written = 0; written < content.length;) written += writeSync(this.#descriptor, content, written);
    this.#bytes += content.length;
  }

  /** Ends the current file. A later write begins another one. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#bytes = 0;
  }

  #open(): number {
    const { folder, prefix, clock, processId } = this.#options;
    makeSecretFolder(folder);
    this.#number += 1;
    const time = new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-');
    const descriptor = openSync(
      join(folder, `${prefix}-${time}-${processId}-${this.#number}${EXTENSION}`),
      'a',
      FILE_MODE,
    );
    this.#bytes = fstatSync(descriptor).size;
    this.#removeOldest();
    return descriptor;
  }

  #removeOldest(): void {
    const { folder, prefix, maximumFiles } = this.#options;
    const files = rotatedFiles(folder, prefix);
    for (const path of files.slice(0, Math.max(0, files.length - maximumFiles))) rmSync(path, { force: true });
  }
}

/** The files of a prefix, in the order of their last write. Empty where there is no such folder. */
export function rotatedFiles(folder: string, prefix: string): string[] {
  return readdirIfPresent(folder)
    .filter((name) => name.startsWith(`${prefix}-`) && name.endsWith(EXTENSION))
    .map((name) => join(folder, name))
    .map((path) => ({ path, time: statSync(path, { throwIfNoEntry: false })?.mtimeMs }))
    .filter(({ time }) => time !== undefined)
    .sort((a, b) => (a.time ?? 0) - (b.time ?? 0) || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

function readdirIfPresent(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
