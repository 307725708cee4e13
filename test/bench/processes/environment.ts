import { openEscrow } from '../../../backup/escrow/open-escrow.ts';
import { systemClock } from '../../../core/clock.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { openHome } from '../../../core/home.ts';
import { loadContract } from '../../../governance/contract/index.ts';
import type { Environment } from '../../../pipeline/environment.ts';
import { createInstruments } from '../../../telemetry/instruments.ts';
import { startTelemetry } from '../../../telemetry/telemetry.ts';

/** What every process of the pipeline in the bench is told. */
export interface PipelinePlace {
  readonly home: string;
  readonly contract: string;
}

/**
 * The same surroundings that `wardline source` and `wardline worker` have, with tracing and metrics on.
 * Aborting `stop` ends a source; what waits says why on standard error.
 */
export async function openEnvironment(
  service: string,
  place: PipelinePlace,
  stop: AbortSignal,
): Promise<{ readonly environment: Environment; readonly close: () => Promise<void> }> {
  const home = openHome(place.home);
  const settings = loadSettings(home);
  const telemetry = await startTelemetry({ service, folder: home.paths.telemetry, settings: settings.telemetry });
  return {
    environment: {
      home,
      settings,
      connection: loadConnection(home, settings),
      contract: loadContract(place.contract),
      contractPath: place.contract,
      telemetry,
      instruments: createInstruments(telemetry.meter),
      clock: systemClock,
      openEscrow: (integrityKey) => openEscrow(home, settings, integrityKey),
      onWaiting: (reason) => void process.stderr.write(`waiting: ${reason}\n`),
      onAlarm: (alarm) => void process.stderr.write(`alarm: ${alarm}\n`),
      stop,
      giveUp: new AbortController().signal,
    },
    close: () => telemetry.shutdown(),
  };
}

/** Aborted when the bench asks this process to end. */
export function endOfProcess(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  return stop.signal;
}

/** The configuration that the bench started this process with. */
export function configuration(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

const BYTES_IN_MEGABYTE = 1000 * 1000;
const BYTES_IN_KIBIBYTE = 1024;

/** The most memory that this process has ever had resident, in megabytes. */
export function peakMegabytes(): number {
  return (process.resourceUsage().maxRSS * BYTES_IN_KIBIBYTE) / BYTES_IN_MEGABYTE;
}

/** Prints the process's result: its last line. */
export function answer(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
