import { sleep } from '../../core/clock.ts';
import { isRunning } from '../process/identity.ts';
import { adoptChild, endProcess, findChild, startChild, type Child } from './child.ts';
import type { ProcessPlan, ProcessState } from './state.ts';

/** What a keeper needs from the supervisor around it. */
interface KeeperContext {
  /** The plan as it now stands: read before each start, so that a restart takes up a new configuration. */
  readonly plan: () => ProcessPlan;
  readonly environment: NodeJS.ProcessEnv;
  readonly changed: (state: ProcessState) => void;
  readonly log: (line: string) => void;
  readonly stop: AbortSignal;
  /** How long it may take to end by itself, in milliseconds; END_PATIENCE_MILLISECONDS unless told otherwise. */
  readonly patience?: number;
  /** The longest delay before a start, in milliseconds; LONGEST_DELAY_MILLISECONDS unless told otherwise. */
  readonly longestDelay?: number;
  /** Resolves when a start makes sense, or `stop` aborts. */
  readonly whenDue?: () => Promise<void>;
  /** Whether such an end says that another start will end no better: then LONGEST_DELAY_MILLISECONDS come before it. */
  readonly isRefusal?: (end: string) => boolean;
}

/** How long a server may take to end by itself: Cassandra flushes its memtables first. */
export const END_PATIENCE_MILLISECONDS = 60_000;
/** A server that ran at least this long is started again at once; one that ends sooner waits, longer each time. */
const STEADY_MILLISECONDS = 30_000;
const FIRST_DELAY_MILLISECONDS = 500;
const LONGEST_DELAY_MILLISECONDS = 30_000;

/**
 * Keeps one process running until `stop` aborts, then ends it gracefully. Takes over the process of `previous` where
 * that still runs with the same configuration, and ends it first where the configuration is another.
 */
export async function keepProcess(
  name: string,
  previous: ProcessState | undefined,
  context: KeeperContext,
): Promise<void> {
  let adopted = await takeOver(name, previous, context);
  let state: ProcessState = previous ?? NEVER_STARTED;
  let quickEnds = 0;
  for (let restarts = 0; !context.stop.aborted; restarts += 1) {
    if (adopted === undefined && !(await isDue(context))) return;
    const since = adopted === undefined ? Date.now() : state.since;
    const run = adopted === undefined ? await start(context) : { child: adopted, digest: state.digest };
    adopted = undefined;
    let end: string | undefined;
    if (run instanceof Error) {
      end = `no start: ${run.message}`;
    } else {
      context.log(`${name}: process ${run.child.identity.pid}`);
      state = { process: run.child.identity, since, digest: run.digest, restarts, lastExit: state.lastExit };
      context.changed(state);
      end = await Promise.race([run.child.exited, aborted(context.stop)]);
      if (end === undefined) await endProcess(run.child.identity, patienceOf(context));
    }
    context.log(`${name}: ended${end === undefined ? ' as told' : ` with ${end}`}`);
    state = { ...state, process: null, restarts: restarts + 1, lastExit: end ?? state.lastExit };
    context.changed(state);
    quickEnds = Date.now() - since < STEADY_MILLISECONDS ? quickEnds + 1 : 0;
    const refuses = end !== undefined && context.isRefusal?.(end) === true;
    await sleep(refuses ? LONGEST_DELAY_MILLISECONDS : restartDelay(quickEnds, context.longestDelay), context.stop);
  }
}

/** A server that cannot be started (no memory, a damaged plan) is one that ended at once: it is tried again, more slowly. */
async function start(context: KeeperContext): Promise<{ child: Child; digest: string } | Error> {
  try {
    const plan = context.plan();
    return { child: await startChild(plan, context.environment), digest: plan.digest };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Milliseconds to wait before the next start, after so many ends in a row that came soon after their start. */
export function restartDelay(quickEnds: number, longest = LONGEST_DELAY_MILLISECONDS): number {
  if (quickEnds <= 1) return 0;
  return Math.min(longest, FIRST_DELAY_MILLISECONDS * 2 ** (quickEnds - 2));
}

const NEVER_STARTED: ProcessState = { process: null, since: 0, digest: '', restarts: 0, lastExit: null };

async function takeOver(
  name: string,
  previous: ProcessState | undefined,
  context: KeeperContext,
): Promise<Child | undefined> {
  const recorded = previous?.process;
  const known = recorded != null && isRunning(recorded);
  // A supervisor that died just after a start had no time to record it: its server is found by its arguments.
  const found = known ? recorded : findChild(context.plan());
  if (found === undefined) return undefined;
  if (known && previous?.digest === context.plan().digest) {
    context.log(`${name}: taking over process ${found.pid}, left by an earlier supervisor`);
    return adoptChild(found);
  }
  context.log(`${name}: ending process ${found.pid}, left by an earlier supervisor with another configuration`);
  await endProcess(found, patienceOf(context));
  return undefined;
}

/** Waits until a start makes sense; false where `stop` aborted meanwhile. */
async function isDue({ whenDue, stop }: KeeperContext): Promise<boolean> {
  await whenDue?.();
  return !stop.aborted;
}

function patienceOf({ patience }: KeeperContext): number {
  return patience ?? END_PATIENCE_MILLISECONDS;
}

function aborted(stop: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve(undefined);
    else stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
