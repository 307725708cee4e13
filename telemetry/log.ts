import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { pino, type Logger as PinoLogger } from 'pino';
import { systemClock, type Clock } from '../core/clock.ts';
import type { Settings } from '../core/configuration.ts';
import { redactSecrets } from './redaction/redaction.ts';
import { RotatingFile } from './files/rotating-file.ts';

const MAXIMUM_FILE_BYTES = 8 * 1024 * 1024;
const MAXIMUM_FILES = 5;

export interface LogOptions {
  readonly service: string;
  readonly level: Settings['telemetry']['logLevel'];
  /** The home's log folder; without one, lines go to standard error. */
  readonly folder?: string | undefined;
  readonly clock?: Clock;
  /** Where lines go in place of standard error. */
  readonly write?: (line: string) => void;
}

/** What callers log with. There are no children: pino does not redact their bindings as it does arguments. */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'>;

export interface Log {
  readonly logger: Logger;
  close(): void;
}

/**
 * Makes the log of a process: JSON lines with time, service and the ids of the active span, in rotated files of mode 0600
 * or on standard error. Everything that is logged passes redaction first: objects, texts, errors and arguments.
 */
export function createLog({ service, level, folder, clock = systemClock, write }: LogOptions): Log {
  const limits = { clock, processId: process.pid, maximumBytes: MAXIMUM_FILE_BYTES, maximumFiles: MAXIMUM_FILES };
  const file = folder === undefined ? undefined : new RotatingFile({ ...limits, folder, prefix: service });
  const toStandardError = write ?? ((line: string): unknown => process.stderr.write(line));
  const logger = pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      mixin: activeSpan,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        // Before pino looks at the arguments: it would take the message of a foreign error as the line's own.
        logMethod(args, method) {
          const [first, ...rest] = args.map((argument, place) =>
            place === 0 && argument instanceof Error ? { err: redactSecrets(argument) } : redactSecrets(argument),
          );
          method.apply(this, [first as string, ...rest] as Parameters<typeof method>);
        },
      },
    },
    { write: file === undefined ? toStandardError : (line) => writeOrPass(file, line, toStandardError) },
  );
  return { logger, close: () => file?.close() };
}

function activeSpan(): Record<string, string> {
  const span = trace.getSpanContext(context.active());
  return span !== undefined && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** A log file that cannot be written must not end the process: its lines go to standard error. */
function writeOrPass(file: RotatingFile, line: string, toStandardError: (line: string) => void): void {
  try {
    file.write(line);
  } catch {
    toStandardError(line);
  }
}
