import type { PartResult } from './figure.ts';
import { describeMachine } from './machine.ts';
import { parseOptions, USAGE, type BenchOptions } from './options.ts';
import { PARTS } from './parts/index.ts';
import { installPeers } from './peers/install.ts';
import { reportJson, reportText, resultsText, type NamedResult } from './report.ts';
import { openRig } from './rig/rig.ts';

/** `npm run bench`: measures the product against its targets, both sides of each ratio on the same records and servers. */
async function main(): Promise<number> {
  const commandLine = process.argv.slice(2);
  const options = optionsOf(commandLine);
  if (options === undefined) return 2;
  const report = (line: string): void =>
    void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
  if (options.installPeers) await installPeers(report);
  const results = await measure(options, report);
  const found = {
    command: ['npm run bench', ...(commandLine.length > 0 ? ['--', ...commandLine] : [])].join(' '),
    machine: describeMachine(),
    results,
  };
  process.stdout.write(`${options.json ? JSON.stringify(reportJson(found)) : reportText(found)}\n`);
  return results.every(({ failed }) => !failed) ? 0 : 1;
}

function optionsOf(commandLine: readonly string[]): BenchOptions | undefined {
  try {
    return parseOptions(commandLine);
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    return undefined;
  }
}

/** A part that fails does not take the others' figures with it; it makes the exit code 1. */
async function measure(
  options: BenchOptions,
  report: (line: string) => void,
): Promise<(NamedResult & { readonly failed: boolean })[]> {
  const rig = openRig(options, report);
  const results: (NamedResult & { readonly failed: boolean })[] = [];
  try {
    for (const part of options.parts) {
      report(`part ${part}`);
      try {
        const result = await PARTS[part](rig);
        results.push({ part, result, failed: false });
        // Already now: a bench of an hour may be ended before its last part.
        report(`part ${part} ended\n${resultsText([{ part, result }])}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        report(`part ${part} failed: ${reason}`);
        const result: PartResult = { measured: false, reason: `it failed: ${reason}` };
        results.push({ part, result, failed: true });
      }
    }
  } finally {
    await rig.close();
  }
  return results;
}

process.exitCode = await main();
