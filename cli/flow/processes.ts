import { ROOT_CONTEXT } from '@opentelemetry/api';
import { openEscrow } from '../../backup/escrow/open-escrow.ts';
import { systemClock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import type { CompiledContract } from '../../governance/contract/compiled.ts';
import { loadContract } from '../../governance/contract/index.ts';
import type { Environment } from '../../pipeline/environment.ts';
import { openSource, openWorker, type SourceOptions } from '../../pipeline/run.ts';
import { runToEnd, type RunSummary } from '../../pipeline/run-to-end.ts';
import type { SourceSummary } from '../../pipeline/source-run.ts';
import { configureSource } from '../../pipeline/sources/index.ts';
import { canActAs } from '../../security/connect/access.ts';
import { createInstruments } from '../../telemetry/instruments.ts';
import { createLog } from '../../telemetry/log.ts';
import { escrowKeyStoresNow } from '../backup/identity/key-escrow.ts';
import type { CommandContext } from '../context.ts';
import { contractPathOf, provision } from '../contract.ts';
import { recordConfiguration } from '../in-force.ts';
import { requireNothingLost } from '../lost.ts';
import { openTelemetry } from '../telemetry.ts';
import { createNews } from '../terminal/news.ts';

/** The options of `run` and `source`. */
export interface SourceFlags {
  readonly contract: string;
  readonly source?: 'csv' | 'jsonl' | 'synthetic';
  readonly path?: string;
  readonly set: Readonly<Record<string, string>>;
  readonly limit?: number;
  readonly rate?: string;
  readonly speed?: string;
  readonly timeStep?: string;
  readonly loop?: boolean;
  readonly seed: number;
  readonly homes: number;
}

/** `run`: provisions what the contract needs, then moves the whole source to Cassandra. */
export async function runCommand(
  context: CommandContext,
  flags: SourceFlags & { readonly maxDeadLetters?: number },
): Promise<RunSummary> {
  return withEnvironment(context, 'run', flags.contract, async (environment) => {
    // First the input: what cannot be read is refused before anything is made on the servers.
    const { options, finished } = await sourceOptions(context, environment.contract, flags);
    await recordConfiguration(context, 'operator', environment.contract, flags.set);
    await provision(context, environment.contract, environment.contractPath);
    await escrowKeyStoresNow(context);
    const counts = { read: 0, stored: 0, dead: 0 };
    const counter = (name: keyof typeof counts) => (more: number) => {
      counts[name] += more;
      context.output.progress(`${counts.read} read, ${counts.stored} stored, ${counts.dead} dead`);
    };
    const progress = { onRead: counter('read'), onStored: counter('stored'), onDeadLetters: counter('dead') };
    const summary = await runToEnd(environment, { ...options, maxDeadLetters: flags.maxDeadLetters, progress });
    if (summary.ended) finished();
    return summary;
  });
}

/**
 * `source`: produces until the source ends or the process is asked to stop. In a home that has the source's keys alone,
 * somebody else applies the contract.
 */
export async function sourceCommand(context: CommandContext, flags: SourceFlags): Promise<SourceSummary> {
  return withEnvironment(context, 'source', flags.contract, async (environment) => {
    const { options, finished } = await sourceOptions(context, environment.contract, flags);
    if (canActAs(environment.connection, 'operator')) {
      await recordConfiguration(context, 'operator', environment.contract, flags.set);
      await provision(context, environment.contract, environment.contractPath);
      await escrowKeyStoresNow(context);
    } else await recordConfiguration(context, 'source', environment.contract, flags.set);
    const source = await openSource(environment, options);
    try {
      // Each batch is a trace of its own: a source may run for months.
      const summary = await source.run(ROOT_CONTEXT);
      if (summary.ended) finished();
      return summary;
    } finally {
      await source.close();
    }
  });
}

/** `worker`: stores until the process is asked to stop. Returns the rows stored. */
export async function workerCommand(context: CommandContext, contractName: string): Promise<number> {
  return withEnvironment(context, 'worker', contractName, async (environment) => {
    await recordConfiguration(context, 'worker', environment.contract);
    let stored = 0;
    const process = await openWorker(environment, { progress: { onStored: (rows) => (stored += rows) } });
    try {
      let stopped: Promise<void> | undefined;
      const stop = (): void => {
        stopped = process.stop();
        // Its error is thrown below, once the loop has ended.
        stopped.catch(() => undefined);
      };
      // Asked to end already while it was being opened: the event is past.
      if (environment.stop.aborted) stop();
      else environment.stop.addEventListener('abort', stop, { once: true });
      context.output.note(`worker of ${environment.contract.id} ${environment.contract.version}: storing`);
      await process.run();
      await stopped;
      return stored;
    } finally {
      await process.close();
    }
  });
}

/** Sets up what every process of the pipeline has: contract, telemetry, log, signals. */
async function withEnvironment<T>(
  context: CommandContext,
  service: 'run' | 'source' | 'worker',
  contractName: string,
  work: (environment: Environment) => Promise<T>,
): Promise<T> {
  const home = context.home();
  requireNothingLost(home);
  const settings = context.settings();
  const contractPath = contractPathOf(context, contractName);
  const contract = loadContract(contractPath);
  if (contract.status !== 'active') {
    throw new WardlineError(
      'CONTRACT_INACTIVE',
      `contract ${contract.id} has the status ${contract.status}; only active ones are enforced`,
      {
        hint: 'set its status to active once it is approved',
      },
    );
  }
  const log = createLog({ service, level: settings.telemetry.logLevel, folder: home.paths.logs });
  const principal = service === 'worker' ? 'worker' : 'source';
  const telemetry = await openTelemetry(context, service, principal, (message) => log.logger.warn(message));
  const isNews = createNews(systemClock);
  const onWaiting = (reason: string): void => {
    log.logger.warn({ reason }, 'waiting');
    if (isNews(reason)) context.output.note(`waiting: ${reason}`);
  };
  try {
    return await work({
      home,
      settings,
      connection: context.connection(),
      contract,
      contractPath,
      telemetry,
      instruments: createInstruments(telemetry.meter),
      clock: systemClock,
      openEscrow: (integrityKey) =>
        openEscrow(home, settings, integrityKey, {
          onWaiting: ({ message }) => onWaiting(message),
          signal: context.secondSignal,
        }),
      onWaiting,
      onAlarm(alarm) {
        log.logger.warn({ alarm }, 'alarm');
        context.output.note(`alarm: ${alarm}`);
      },
      stop: context.signal,
      giveUp: context.secondSignal,
    });
  } finally {
    await telemetry.shutdown();
    log.close();
  }
}

/** What the flags say is read, from where it was last acknowledged. */
async function sourceOptions(
  context: CommandContext,
  contract: CompiledContract,
  flags: SourceFlags,
): Promise<{ options: SourceOptions; finished: () => void }> {
  const { source, positions } = await configureSource(contract, flags, {
    positionsFolder: context.home().paths.positions,
    rowLimitBytes: context.settings().source.rowLimitBytes,
    batchRecords: context.settings().source.batchRecords,
    clock: systemClock,
    report: (line) => context.output.note(line),
  });
  const from = positions.load();
  if (from.position > 0)
    context.output.note(`going on after record ${from.position}, where the last run was acknowledged`);
  return {
    options: { source, from, onAcknowledged: (position) => positions.save(position) },
    finished: () => positions.clear(),
  };
}
