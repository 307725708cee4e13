import { z } from 'zod';
import { DAEMON_NAMES } from '../layout.ts';
import { readIfPresent, writeFileAtomic } from '../../core/files.ts';

/** How to start one process. */
const processPlan = z.strictObject({
  program: z.string(),
  arguments: z.array(z.string()),
  /** The end of its command line, as no other process has it: by this it is found where nobody recorded it. */
  foundBy: z.string(),
  /** Where it runs, and where a core dump would go. */
  folder: z.string(),
  /** Where its standard output and error go. */
  console: z.string(),
  /** Variables of the supervisor's environment that it gets beside those that every process does; names, no values. */
  passes: z.array(z.string()).exactOptional(),
  /** Digest of its whole configuration: a running process with another one is started anew. */
  digest: z.string(),
});

/** What the supervisor runs: written by whoever starts it, read before each start of a process. */
const planSchema = z.strictObject({
  servers: z.strictObject({ kafka: processPlan, cassandra: processPlan }),
  /** Those that are wanted. */
  daemons: z.partialRecord(z.enum(DAEMON_NAMES), processPlan),
});

const identity = z.object({ pid: z.int(), started: z.string() });
const processState = z.object({
  /** Of the running process; null while there is none. */
  process: identity.nullable(),
  /** When that process was started: milliseconds since the epoch. */
  since: z.number(),
  /** Digest of the configuration it was started with. */
  digest: z.string(),
  /** How often it ended since the supervisor started. */
  restarts: z.int(),
  lastExit: z.string().nullable(),
});
const stateSchema = z.object({
  supervisor: identity,
  since: z.number(),
  servers: z.object({ kafka: processState, cassandra: processState }),
  daemons: z.partialRecord(z.enum(DAEMON_NAMES), processState),
});

export type Plan = z.infer<typeof planSchema>;
export type ProcessPlan = z.infer<typeof processPlan>;
export type ProcessState = z.infer<typeof processState>;
export type SupervisorState = z.infer<typeof stateSchema>;

/** What the supervisor last wrote of itself, or undefined where there is nothing readable. It may be of a dead supervisor. */
export function readState(file: string): SupervisorState | undefined {
  return stateSchema.safeParse(readJson(file)).data;
}

/** Replaces the state as one step, so that a reader never sees half of it. */
export function writeState(file: string, state: SupervisorState): void {
  writeFileAtomic(file, `${JSON.stringify(state, null, 2)}\n`);
}

/** Throws where the plan is missing or damaged: the supervisor has nothing to do without. */
export function readPlan(file: string): Plan {
  return planSchema.parse(readJson(file));
}

export function writePlan(file: string, plan: Plan): void {
  writeFileAtomic(file, `${JSON.stringify(plan, null, 2)}\n`);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readIfPresent(file) ?? 'null');
  } catch {
    return null;
  }
}
