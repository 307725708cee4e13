import { sleep, type Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { csvSource } from './files/csv.ts';
import type { FileSourceOptions } from './files/file.ts';
import { jsonlSource } from './files/jsonl.ts';
import { parseRate, parseSpeed, parseTimeStep } from './flags.ts';
import { openPositions, type Positions } from './positions.ts';
import type { Source } from './source.ts';
import { syntheticSource } from './synthetic/source.ts';
import { limit } from './wrap/limit.ts';
import { loop } from './wrap/loop.ts';
import { atRate, atSpeed, type PaceOptions } from './wrap/pace.ts';
import type { RecordTime } from './wrap/record-time.ts';
import { setFields } from './wrap/set-fields.ts';
import { timeStep } from './wrap/time-step.ts';

/** What a user says about the source, as it stands on the command line. */
export interface SourceFlags {
  readonly source?: SourceKind | undefined;
  readonly path?: string | undefined;
  readonly set: Readonly<Record<string, string>>;
  readonly limit?: number | undefined;
  /** `1000/s`, `1/5s`. */
  readonly rate?: string | undefined;
  /** `60x`. */
  readonly speed?: string | undefined;
  /** `60s`. */
  readonly timeStep?: string | undefined;
  readonly loop?: boolean | undefined;
  /** For the synthetic source. */
  readonly seed: number;
  readonly homes: number;
}

export interface SourceSurroundings {
  readonly positionsFolder: string;
  readonly rowLimitBytes: number;
  readonly batchRecords: number;
  readonly clock: Clock;
  /** Told what a user should know, a line at a time. */
  readonly report: (line: string) => void;
}

/** Opens a source of each kind. */
const FILE_SOURCES = { csv: csvSource, jsonl: jsonlSource } as const satisfies Record<
  string,
  (options: FileSourceOptions) => Source
>;

type SourceKind = keyof typeof FILE_SOURCES | 'synthetic';

/**
 * The source that the flags describe (else the contract's own default), with its position. From inside out: the input, `--loop`,
 * `--set`, `--time-step`, `--limit`, and `--rate` or `--speed`.
 * Throws USAGE where the flags do not fit together, SOURCE_CHANGED, and what `Source.batches` throws on its first batch.
 */
export async function configureSource(
  contract: CompiledContract,
  flags: SourceFlags,
  surroundings: SourceSurroundings,
): Promise<{ readonly source: Source; readonly positions: Positions }> {
  if (flags.rate !== undefined && flags.speed !== undefined) {
    throw new WardlineError('USAGE', '--rate and --speed exclude each other', { hint: 'give one of them' });
  }
  let source = openInput(contract, flags, surroundings);
  if (flags.loop === true) source = loop(source);
  source = setFields(source, knownFields(flags.set, contract));
  if (flags.timeStep !== undefined) {
    source = timeStep(source, timeFor('--time-step', contract), parseTimeStep(flags.timeStep));
  }
  if (flags.limit !== undefined) source = limit(source, flags.limit);
  await refuseUnfit(source, contract.sourceFields);
  const positions = await openPositions(surroundings.positionsFolder, contract.id, source);
  const pace: PaceOptions = { clock: surroundings.clock, sleep };
  if (flags.rate !== undefined) source = atRate(source, parseRate(flags.rate), pace);
  if (flags.speed !== undefined) {
    source = atSpeed(source, parseSpeed(flags.speed), timeFor('--speed', contract), pace);
  }
  return { source, positions };
}

/** Reads the first batch and lets it go: an input that does not fit is refused before anything is started for it. */
async function refuseUnfit(source: Source, fields: readonly string[]): Promise<void> {
  for await (const _batch of source.batches(fields, { from: 0 })) return;
}

function openInput(contract: CompiledContract, flags: SourceFlags, surroundings: SourceSurroundings): Source {
  const fallback = contract.defaultSource;
  const kind = flags.source ?? (flags.path === undefined ? fallback?.format : kindByName(flags.path));
  if (kind === 'synthetic') return syntheticSource({ ...flags, batchRecords: surroundings.batchRecords });
  const path = flags.path ?? (kind === fallback?.format ? fallback?.path : undefined);
  if (kind === undefined || path === undefined) {
    throw new WardlineError('USAGE', `contract ${contract.id} names no source of its own, so one must be given`, {
      hint: 'use --source csv --path FILE, --source jsonl --path FILE, or --source synthetic',
    });
  }
  return FILE_SOURCES[kind]({
    path,
    batchRecords: surroundings.batchRecords,
    rowLimitBytes: surroundings.rowLimitBytes,
    onExtraColumns: once((names) => {
      surroundings.report(`${names.length} columns that the contract does not use are left out: ${names.join(', ')}`);
    }),
  });
}

/** A file may be opened several times in one run. */
function once(tell: (names: readonly string[]) => void): (names: readonly string[]) => void {
  let told = false;
  return (names) => {
    if (!told) tell(names);
    told = true;
  };
}

function kindByName(path: string): SourceKind {
  return /\.(jsonl|ndjson)$/i.test(path) ? 'jsonl' : 'csv';
}

/** A misspelt name would set nothing, and the missing field be named as the file's fault. */
function knownFields(set: Readonly<Record<string, string>>, contract: CompiledContract) {
  const unknown = Object.keys(set).filter((name) => !contract.sourceFields.includes(name));
  if (unknown.length === 0) return set;
  throw new WardlineError('USAGE', `--set names no source field of contract ${contract.id}: ${unknown.join(', ')}`, {
    hint: `its source fields: ${contract.sourceFields.join(', ')}`,
  });
}

function timeFor(flag: string, contract: CompiledContract): RecordTime {
  if (contract.time !== undefined) return contract.time;
  throw new WardlineError(
    'USAGE',
    `${flag} needs a timestamp in the key of contract ${contract.id}, and there is none`,
    {
      hint: `leave ${flag} away`,
    },
  );
}
