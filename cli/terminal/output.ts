import type { JsonValue } from '../../core/record.ts';

/** Where a command's result and its progress go. Results to standard output; all else to standard error. */
export interface Output {
  readonly json: boolean;
  /** The command's result: the text for people, or one JSON document with `--json`. */
  result(document: JsonValue, text: () => string): void;
  /** One item of a stream: a line of text, or a JSON line. */
  item(document: JsonValue, text: () => string): void;
  /** Progress and remarks; silent with `--quiet`. */
  note(line: string): void;
  /** A line that changes in place on a terminal; plain notes are not repeated elsewhere. */
  progress(line: string): void;
  error(document: JsonValue, text: () => string): void;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export function createOutput({ json, quiet, stdout, stderr }: OutputOptions): Output {
  let inPlace = false;
  const endProgress = (): void => {
    if (inPlace) stderr.write('\r\u001b[K');
    inPlace = false;
  };
  const print = (document: JsonValue, text: () => string, indent?: number): void => {
    endProgress();
    stdout.write(`${json ? JSON.stringify(document, null, indent) : text()}\n`);
  };
  return {
    json,
    result: (document, text) => print(document, text),
    item: (document, text) => print(document, text),
    note(line) {
      if (quiet) return;
      endProgress();
      stderr.write(`${line}\n`);
    },
    progress(line) {
      if (quiet || stderr.isTTY !== true) return;
      stderr.write(`\r\u001b[K${line}`);
      inPlace = true;
    },
    error(document, text) {
      endProgress();
      stderr.write(`${json ? JSON.stringify(document) : text()}\n`);
    },
  };
}

/** Lays rows out in columns; the first row is the heading. Cells are cut to `widest` characters. */
export function table(rows: readonly (readonly string[])[], widest = 60): string {
  const cut = rows.map((row) => row.map((cell) => (cell.length > widest ? `${cell.slice(0, widest - 1)}…` : cell)));
  const widths = (cut[0] ?? []).map((_, column) => Math.max(...cut.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const [heading = [], ...body] = cut;
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}
