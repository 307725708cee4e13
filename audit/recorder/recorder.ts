import { sleep, type Clock } from '../../core/clock.ts';
import { asWardlineError } from '../../core/errors/errors.ts';
import { retry } from '../../core/async/retry.ts';
import type { EventStatement } from '../event/event.ts';
import type { KafkaAuditLog } from '../append/kafka-audit-log.ts';
import { drainSpool } from './drain.ts';
import { parseEntry } from './lines/entry.ts';
import { foldWindow, unreadable, type LogOrigin } from './fold.ts';
import { positionIn, readOn, type LogPiece } from './log-follower.ts';
import type { RecorderPositions } from './position.ts';
import { SERVER_LOG_NAMES, type ServerLogName } from './server-logs.ts';
import { windowsOf } from './window.ts';

const POLL_MILLISECONDS = 250;
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5000;

export interface RecorderOptions {
  /** Where each log is that is followed. */
  readonly logs: Readonly<Partial<Record<ServerLogName, string>>>;
  readonly spool: string;
  readonly install: string;
  readonly host: string;
  /** As the principal recorder; it should wait for as long as it takes. */
  readonly audit: Pick<KafkaAuditLog, 'append' | 'appendAll' | 'appendSigned'>;
  readonly positions: RecorderPositions;
  readonly clock: Clock;
  /** Called once Kafka has acknowledged that the recorder began. */
  readonly onFollowing: () => void;
  /** Why something waits that will be tried again. */
  readonly onWaiting: (reason: string) => void;
  /** What an auditor has to look into; it is an event as well. */
  readonly onTrouble: (trouble: string) => void;
  /** Aborted when the recorder is to end: what it has begun to send is finished first. */
  readonly stop: AbortSignal;
  readonly pollMilliseconds?: number;
}

/** What a recorder has put on the audit log. */
export interface RecorderSummary {
  /** Events made of lines. */
  readonly events: number;
  /** Entries of the spool. */
  readonly drained: number;
}

/**
 * Follows the servers' logs and the spool until it is told to stop. Everywhere the order is: read, append, acknowledged,
 * position saved. So nothing is lost by a crash, and what is repeated after one is the same events once more. While Kafka
 * is down nothing more is read: each log waits with one piece in memory. One that cannot be read does not hold up others.
 */
export async function runRecorder(options: RecorderOptions): Promise<RecorderSummary> {
  const count = { events: 0, drained: 0 };
  const names = SERVER_LOG_NAMES.filter((name) => options.logs[name] !== undefined);
  const object = { type: 'home', id: options.install };
  // The first that fails ends the others too.
  const failed = new AbortController();
  const following = { ...options, stop: AbortSignal.any([options.stop, failed.signal]) };
  const steps = [
    async () => {
      const drained = await drainSpool({ ...options, folder: options.spool });
      count.drained += drained;
      return drained > 0;
    },
    ...names.map((log) => async () => {
      const events = await recordLog(log, options.logs[log] ?? '', options);
      count.events += events ?? 0;
      return events !== undefined;
    }),
  ];
  try {
    await options.audit.append({ action: 'recorder.start', object, outcome: 'success', details: { logs: names } });
    options.onFollowing();
    await Promise.all(steps.map((step) => keepUp(following, step)));
    await options.audit.append({ action: 'recorder.stop', object, outcome: 'success', counts: count });
  } catch (error) {
    failed.abort();
    // Told to stop while Kafka does not answer: what is not acknowledged is read again at the next start.
    if (!options.stop.aborted || asWardlineError(error).code !== 'AUDIT_UNAVAILABLE') throw error;
    options.onWaiting(`its end is on no record: ${asWardlineError(error).message}`);
  }
  return count;
}

/** Repeats a step as soon as it has found something, and otherwise after a moment. Faults of the system are waited out. */
async function keepUp(options: RecorderOptions, step: () => Promise<boolean>): Promise<void> {
  const { stop, onWaiting, pollMilliseconds = POLL_MILLISECONDS } = options;
  while (!stop.aborted) {
    const found = await retry(step, {
      firstDelayMilliseconds: FIRST_DELAY,
      longestDelayMilliseconds: LONGEST_DELAY,
      attempts: Infinity,
      retryable: isPassing,
      onRetry: (error) => onWaiting(asWardlineError(error).message),
      signal: stop,
    });
    if (!found) await sleep(pollMilliseconds, stop);
  }
}

/** A file that cannot be read, a disk that is full, an audit log that does not answer: not a mistake of this program. */
function isPassing(error: unknown): boolean {
  return asWardlineError(error).retryable || (error instanceof Error && 'syscall' in error);
}

/** One piece of one log. Returns how many events it came to, and undefined where the log has nothing more to read now. */
async function recordLog(log: ServerLogName, path: string, options: RecorderOptions): Promise<number | undefined> {
  const { positions, host, clock } = options;
  const position = positions.log(log);
  const piece = readOn({ name: log, path }, position);
  if (piece === undefined) return undefined;
  const origin: LogOrigin = { log, host, generation: piece.generation };
  const windows = windowsOf(piece, clock.now());
  const to = windows.at(-1)?.to ?? piece.from;
  if (to === position?.offset && piece.generation === position.generation) return undefined;
  if (windows.length === 0 && piece.lost === undefined) return undefined;
  const statements = [
    ...lostLines(piece, origin, options.onTrouble),
    ...windows.flatMap((window) => foldWindow(window, origin)),
  ];
  await appendAll(statements, log, options);
  positions.saveLog(log, positionIn(piece, to));
  return statements.length;
}

function lostLines(
  { lost, generation, from, lines }: LogPiece,
  { log, host }: LogOrigin,
  onTrouble: (trouble: string) => void,
): readonly EventStatement[] {
  if (lost === undefined) return [];
  onTrouble(
    `lines of the log ${log} were lost: what stood behind byte ${lost.offset} of file ${lost.generation} is gone`,
  );
  const time = lines.map(({ text }) => parseEntry(text)?.time).find((found) => found !== undefined);
  const statement: EventStatement = {
    action: 'recorder.gap',
    object: { type: 'log', id: log },
    ...{ outcome: 'failure', code: 'LINES_LOST' },
    details: { log, file: lost.generation, from: lost.offset, next: generation, next_from: from },
  };
  const identity = [host, log, lost.generation, String(lost.offset), generation, String(from)];
  return [time === undefined ? statement : { ...statement, time, identity }];
}

/**
 * Appends all of it. An act that cannot become an event (its names look like a secret, say) is stated as a line that
 * cannot be read: whoever can choose a name must not be able to stop the recorder with it.
 */
async function appendAll(
  statements: readonly EventStatement[],
  log: ServerLogName,
  { audit, onTrouble }: RecorderOptions,
): Promise<void> {
  if (statements.length === 0) return;
  try {
    await audit.appendAll(statements);
  } catch (error) {
    if (asWardlineError(error).code !== 'AUDIT_EVENT_INVALID') throw error;
    for (const statement of statements)
      await audit.append(statement).catch(async (reason: unknown) => {
        const { code, message } = asWardlineError(reason);
        if (code !== 'AUDIT_EVENT_INVALID') throw reason;
        onTrouble(`lines of the log ${log} cannot become an event: ${message}`);
        const { counts, time, identity } = statement;
        await audit.append({ ...unreadable(log), counts, time, identity });
      });
  }
}
