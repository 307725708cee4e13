import { spawn } from 'node:child_process';
import { join } from 'node:path';

const COMMAND = join(import.meta.dirname, '../../wardline');
/** What Node compiled is kept from command to command: a test run starts some two hundred of them. */
const COMPILE_CACHE = join(import.meta.dirname, '../../node_modules/.cache/wardline-tests');

export interface WardlineError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** How a `wardline` command ended, and what it said. */
export interface WardlineOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON document on standard output; empty where there is none. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The JSON lines on standard output. */
  readonly items: readonly Readonly<Record<string, unknown>>[];
  /** The error document, which `--json` puts on the last line of standard error. */
  readonly error: WardlineError | undefined;
}

export interface WardlineOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A command that runs until it is asked to stop. */
export interface RunningWardline {
  /** Asks it to end in good order, as Ctrl-C and service managers do. */
  stop(): void;
  readonly outcome: Promise<WardlineOutcome>;
}

/** Runs the `wardline` command as a user would, and resolves however it ends. No test's environment reaches it but what is given. */
export function wardline(args: readonly string[], options: WardlineOptions = {}): Promise<WardlineOutcome> {
  return startWardline(args, options).outcome;
}

/** Starts the command, for those that do not end by themselves. */
export function startWardline(args: readonly string[], options: WardlineOptions = {}): RunningWardline {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(WARDLINE_|VITEST|NODE_)/.test(name));
  const child = spawn(COMMAND, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...options.environment,
    },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const outcome = new Promise<WardlineOutcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === null) reject(new Error(`wardline ${args[0] ?? ''} was ended by ${signal ?? 'nobody'}`));
      else resolve(outcomeOf(code, Buffer.concat(stdout).toString(), Buffer.concat(stderr).toString()));
    });
  });
  return { outcome, stop: () => void child.kill('SIGTERM') };
}

/** Runs a command on a home with `--json`; fails, showing what was said, where it does not end as expected. */
export async function wardlineOn(home: string, args: readonly string[], expected = 0): Promise<WardlineOutcome> {
  const outcome = await wardline([...args, '--home', home, '--json']);
  if (outcome.code === expected) return outcome;
  throw new Error(
    `wardline ${args.join(' ')} ended with ${outcome.code} instead of ${expected}:\n${outcome.stderr}\n${outcome.stdout}`,
  );
}

function outcomeOf(code: number, stdout: string, stderr: string): WardlineOutcome {
  const items = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [parsed(line)] : []));
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  const error = last.startsWith('{') ? (parsed(last)['error'] as WardlineError) : undefined;
  return { code, stdout, stderr, items, json: items[0] ?? {}, error };
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line) as Readonly<Record<string, unknown>>;
}
