import { parseArgs } from 'node:util';
import { PART_NAMES, type PartName } from './parts/names.ts';

/** What a run of the bench was asked for. */
export interface BenchOptions {
  readonly parts: readonly PartName[];
  readonly json: boolean;
  readonly installPeers: boolean;
  /** Records of the throughput parts. */
  readonly records: number;
  /** How often each throughput is measured, both sides in turn; the median counts. */
  readonly rounds: number;
  /** Where CPU profiles of the measured processes go. Profiling slows them: such figures are for reading profiles only. */
  readonly profile: string | undefined;
}

const DEFAULT_RECORDS = 300_000;
const DEFAULT_ROUNDS = 3;

export const USAGE = `npm run bench -- [parts] [--json] [--install-peers] [--records N] [--rounds N] [--profile FOLDER]
parts: ${PART_NAMES.join(' ')} (all unless told otherwise)`;

/** Parses the command line. Throws a RangeError or a TypeError that says what is wrong with it. */
export function parseOptions(commandLine: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...commandLine],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      'install-peers': { type: 'boolean', default: false },
      records: { type: 'string', default: String(DEFAULT_RECORDS) },
      rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
      profile: { type: 'string' },
    },
  });
  const unknown = positionals.filter((name) => !isPartName(name));
  if (unknown.length > 0) throw new RangeError(`there is no part ${unknown.join(', ')}`);
  return {
    parts: positionals.length === 0 ? PART_NAMES : PART_NAMES.filter((name) => positionals.includes(name)),
    json: values.json,
    installPeers: values['install-peers'],
    records: countOf('--records', values.records),
    rounds: countOf('--rounds', values.rounds),
    profile: values.profile,
  };
}

function isPartName(name: string): name is PartName {
  return (PART_NAMES as readonly string[]).includes(name);
}

function countOf(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`${option} takes a whole number from 1 up`);
  return Number(text);
}
