import type { Clock } from '../../core/clock.ts';
import { WardlineError } from '../../core/errors/errors.ts';
import { retry, type RetryPolicy } from '../../core/async/retry.ts';
import { createSemaphore } from '../../core/async/semaphore.ts';
import type { CassandraWork } from '../../security/connect/cassandra/renewing-cassandra.ts';
import { signCheckpoint } from '../checkpoint/checkpoint.ts';
import type { NoteSigner } from '../checkpoint/signed-note.ts';
import { leafHash } from '../merkle/hash.ts';
import type { Tile } from '../merkle/tiles.ts';
import { writeCheckpoint } from '../store/checkpoints.ts';
import { columnsOf } from '../store/columns.ts';
import { createEventWriter } from '../store/events.ts';
import { writeSummary } from '../store/summaries.ts';
import type { Summary, SummaryBuilder } from '../store/summary.ts';
import { writeTile } from '../store/tiles.ts';
import { fork, type OpenedLog } from './open-log.ts';
import type { CheckpointPlace } from './places.ts';

/** A checkpoint is signed after so many events, or after this time, in milliseconds; later where the last one is still being kept. */
const EVENTS_PER_CHECKPOINT = 1000;
const CHECKPOINT_INTERVAL = 5000;
const TICK = 500;
/** Groups of events being stored at once; a group is what one fetch brought. */
const GROUPS_AT_ONCE = 4;

export interface LogWriterOptions {
  readonly cassandra: CassandraWork;
  readonly signer: NoteSigner;
  readonly places: readonly CheckpointPlace[];
  readonly clock: Clock;
  /** How outages are waited out. */
  readonly retry: RetryPolicy;
  /** Told of each checkpoint once it is kept and published everywhere. */
  readonly onSigned: (size: number) => void;
  /** Told of the first error that waiting does not mend; nothing is signed after it. */
  readonly onError: (error: unknown) => void;
}

/** Stores events of one epoch in order, and signs checkpoints over them. */
export interface LogWriter {
  /** The sequence of the next event that is taken. */
  readonly next: number;
  /** Events taken by this writer so far. */
  readonly taken: number;
  /**
   * Takes the events that follow. Resolves when more may be taken, not when they are stored. Throws AUDIT_FORK where they
   * do not lead to the largest checkpoint that was found: then none of them is signed.
   */
  append(messages: readonly Buffer[]): Promise<void>;
  /** Stores and signs what was taken, then closes the places. Rejects with the first error. */
  close(): Promise<void>;
  /** Lets go of everything at once: what waits gives up, and nothing is signed any more. After `close` it does nothing. */
  abandon(): void;
}

/** A tree head that may be signed once all its events are stored. */
interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Events that are stored together, the tiles that they fill, and the summaries that tell of them. */
interface Group {
  readonly first: number;
  readonly messages: readonly Buffer[];
  readonly full: readonly Tile[];
  readonly summaries: readonly Summary[];
}

/**
 * Goes on with an opened log, and with the summary of its last events. Events, tiles and summaries are kept before the
 * checkpoint over them is, and that before it is published.
 */
export function createLogWriter(log: OpenedLog, summary: SummaryBuilder, options: LogWriterOptions): LogWriter {
  const { cassandra, signer, places, clock } = options;
  const { epoch, tree, tiles, largest } = log;
  const events = createEventWriter(cassandra, epoch);
  const groups = createSemaphore(GROUPS_AT_ONCE);
  let stored: Head = { size: log.size, root: tree.root() };
  let signed = { size: log.size, at: -Infinity };
  let steps: Promise<void> = Promise.resolve();
  let signing: Promise<void> | undefined;
  let failed = false;
  const abandoned = new AbortController();
  const { signal } = options.retry;
  const policy: RetryPolicy = {
    ...options.retry,
    signal: signal === undefined ? abandoned.signal : AbortSignal.any([signal, abandoned.signal]),
  };

  const fail = (error: unknown): void => {
    if (!failed && !abandoned.signal.aborted) options.onError(error);
    failed = true;
  };

  /** Nothing is signed below the largest checkpoint: until it is reached, or where it never is, there is nothing to do. */
  const maySign = ({ size }: Head): boolean => size > signed.size && size >= (largest?.size ?? 0);

  const sign = async (head: Head): Promise<void> => {
    if (!maySign(head)) return;
    const { size, root } = head;
    const note = signCheckpoint({ origin: signer.name, size, root }, signer);
    signed = { size, at: clock.now() };
    await retry(() => writeCheckpoint(cassandra, epoch, { size, note }), policy);
    for (const place of places)
      await retry(() => unlessAborted(place.publish({ epoch, size, note }), policy.signal), policy);
    options.onSigned(size);
  };

  const isDue = (): boolean =>
    stored.size - signed.size >= EVENTS_PER_CHECKPOINT || clock.now() - signed.at >= CHECKPOINT_INTERVAL;

  const store = ({ first, messages, full, summaries }: Group): Promise<void> =>
    retry(async () => {
      await Promise.all([
        events.write(first, messages),
        ...full.map((tile) => writeTile(cassandra, epoch, tile)),
        ...summaries.map((each) => writeSummary(cassandra, epoch, each)),
      ]);
    }, policy);

  /** The summaries that tell of these events: those that they fill, and the one that is not full yet. */
  const summed = (messages: readonly Buffer[]): Summary[] =>
    [...messages.map((message) => summary.append(columnsOf(message))), summary.unfinished()].filter(
      (each) => each !== undefined,
    );

  /** One checkpoint is signed and published at a time; what is stored meanwhile is under the next one. */
  const signDue = (): void => {
    if (signing !== undefined || failed || abandoned.signal.aborted || !maySign(stored) || !isDue()) return;
    signing = sign(stored);
    signing
      .finally(() => (signing = undefined))
      .then(signDue)
      .catch(fail);
  };

  const ticking = setInterval(signDue, TICK);

  return {
    get next() {
      return tree.size;
    },
    get taken() {
      return tree.size - log.size;
    },
    async append(messages) {
      const first = tree.size;
      const full: Tile[] = [];
      for (const message of messages) {
        const leaf = leafHash(message);
        tree.append(leaf);
        full.push(...tiles.append(leaf));
        if (tree.size === largest?.size && Buffer.compare(tree.root(), largest.root) !== 0)
          throw fork(`the audit topic does not lead to the checkpoint of ${largest.size} events of epoch ${epoch}`);
      }
      const head: Head = { size: tree.size, root: tree.root() };
      const group: Group = { first, messages, full, summaries: summed(messages) };
      const release = await groups.acquire();
      const done = store(group).finally(release);
      done.catch(() => undefined);
      steps = steps
        .then(() => done)
        .then(() => {
          stored = head;
          signDue();
        });
      steps.catch(fail);
    },
    async close() {
      clearInterval(ticking);
      try {
        await steps;
        while (signing !== undefined) await signing;
        await sign(stored);
      } catch (error) {
        fail(error);
        throw error;
      } finally {
        await Promise.allSettled(places.map((place) => unlessAborted(place.close(), policy.signal)));
      }
    },
    abandon() {
      clearInterval(ticking);
      abandoned.abort();
      for (const place of places) place.close().catch(() => undefined);
    },
  };
}

/** A client of Kafka may try for long by itself: whoever gives up does not wait for it. */
function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const give = (): void => reject(new WardlineError('AUDIT_UNAVAILABLE', 'given up: asked to stop'));
  if (signal.aborted) give();
  signal.addEventListener('abort', give, { once: true });
  work.then(() => resolve(undefined), reject).finally(() => signal.removeEventListener('abort', give));
  return promise;
}
