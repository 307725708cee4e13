import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonValue } from '../../../core/record.ts';
import { launcherEnvironment, launcherFlags } from './launcher.ts';

/** A process of the bench: it is told what to do in one JSON argument, and prints what it found as one JSON line. */
export interface Child<Result> {
  /** Resolves with the result, and how long the process lived until it had it; rejects, with what it complained of, where it ends without. */
  readonly finished: Promise<{ readonly result: Result; readonly seconds: number }>;
  /** Resolves once the process has printed its first line, its result or not. */
  readonly started: Promise<unknown>;
  /** Asks it to end in good order. */
  stop(): void;
}

const PROCESSES = resolve(import.meta.dirname, '../processes');
const KEPT_COMPLAINTS = 4000;

/**
 * Starts `processes/<name>.ts` in a Node of its own, so that no measurement inherits another's compiled code, garbage or
 * memory. Its configuration is visible to other users of the machine: names and paths, never a secret. `wrapper` is a
 * command that is given the whole command line, as ONE_CORE is.
 */
export function startChild<Result>(
  name: string,
  configuration: JsonValue,
  profileFolder?: string,
  wrapper: Wrapper = ['env'],
): Child<Result> {
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  const argumentsOf = [...launcherFlags(), ...profile, resolve(PROCESSES, `${name}.ts`), JSON.stringify(configuration)];
  const [program, ...flags] = wrapper;
  return watch(program, [...flags, process.execPath, ...argumentsOf], { ...launcherEnvironment(), ...process.env });
}

/** A program, and the arguments before the command line that it is given. */
type Wrapper = readonly [program: string, ...flags: string[]];

/**
 * Holds what it starts to one processor core: what is measured as one thread must not borrow others from a pool. Where
 * the system has no such command, it starts it as it is.
 */
export const ONE_CORE: Wrapper = existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '--cpu-list', '0'] : ['env'];

/** Starts any program that keeps to the same custom: its last line on standard output is its result in JSON. */
export function watch<Result>(
  program: string,
  argumentsOf: readonly string[],
  environment = process.env,
): Child<Result> {
  const began = performance.now();
  const child = spawn(program, [...argumentsOf], { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  const started = Promise.withResolvers<undefined>();
  let complaints = '';
  let output = '';
  let lastOutput = began;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    lastOutput = performance.now();
    if (output.includes('\n')) started.resolve(undefined);
  });
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaints = (complaints + text).slice(-KEPT_COMPLAINTS)));
  const finished = new Promise<{ result: Result; seconds: number }>((resolveResult, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const line = output.trimEnd().split('\n').at(-1) ?? '';
      if (code !== 0 || line === '')
        reject(new Error(`${program} ended with code ${code ?? 'none'}: ${complaints || output}`));
      else resolveResult({ result: JSON.parse(line) as Result, seconds: (lastOutput - began) / 1000 });
    });
  });
  finished.catch(started.reject);
  started.promise.catch(() => undefined);
  return { finished, started: started.promise, stop: () => void child.kill('SIGTERM') };
}
