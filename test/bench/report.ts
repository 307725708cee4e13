import type { JsonValue } from '../../core/record.ts';
import { isMet, type Absolute, type Figure, type PartResult, type Target } from './figure.ts';
import type { Machine } from './machine.ts';

/** The result of one part, with its name. */
export interface NamedResult {
  readonly part: string;
  readonly result: PartResult;
}

/** All that a run of the bench found, and where. */
export interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly results: readonly NamedResult[];
}

const WIDEST_REASON = 100;

/** The report for people: figures against their targets first, then absolute values, how each was measured, and the machine. */
export function reportText({ command, machine, results }: Report): string {
  return [
    resultsText(results),
    [
      `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}, ${machine.java}`,
      `Command: ${command}`,
    ].join('\n'),
  ].join('\n\n');
}

/** The same of some parts, without the machine. */
export function resultsText(results: readonly NamedResult[]): string {
  const figures = results.flatMap(({ part, result }) =>
    result.measured
      ? result.figures.map((figure) => [
          part,
          figure.name,
          show(figure),
          showTarget(figure.target),
          isMet(figure) ? 'met' : 'MISSED',
        ])
      : [[part, `not measured: ${firstLine(result.reason)}`, '', '', '']],
  );
  const measured = results.flatMap(({ part, result }) => (result.measured ? [{ part, ...result }] : []));
  const absolutes = measured.flatMap(({ part, absolutes: values }) =>
    values.map((value) => [part, value.name, show(value)]),
  );
  return [
    columns([['part', 'figure', 'value', 'target', ''], ...figures]),
    columns([['part', 'measured', 'value'], ...absolutes]),
    ['How', ...measured.map(({ part, how }) => `  ${part}: ${how}`)].join('\n'),
  ].join('\n\n');
}

/** The same as one JSON document. */
export function reportJson({ command, machine, results }: Report): JsonValue {
  return {
    command,
    machine: { ...machine },
    parts: results.map(({ part, result }) =>
      result.measured
        ? {
            part,
            measured: true,
            how: result.how,
            figures: result.figures.map((figure) => ({ ...figure, target: { ...figure.target }, met: isMet(figure) })),
            absolutes: result.absolutes.map((absolute) => ({ ...absolute })),
          }
        : { part, measured: false, reason: result.reason },
    ),
  };
}

function show({ value, unit }: Figure | Absolute): string {
  return `${shortNumber(value)}${unit === '' ? '' : ` ${unit}`}`;
}

function showTarget(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

/** Three digits are more than a benchmark knows; thousands are grouped so that they can be read. */
function shortNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** What a failed process complained of fills pages; standard error has all of it. */
function firstLine(reason: string): string {
  const [line = ''] = reason.split('\n');
  return line.length > WIDEST_REASON ? `${line.slice(0, WIDEST_REASON - 1)}…` : line;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const [heading = [], ...body] = rows;
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}
