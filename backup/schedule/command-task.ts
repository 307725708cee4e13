import { spawn } from 'node:child_process';
import { WardlineError } from '../../core/errors/errors.ts';

/** A command of the product as a process of its own: what it took of memory is given back when it ends. */
export interface CommandTask {
  readonly program: string;
  readonly arguments: readonly string[];
  /** How it is called for people, without what identifies the home. */
  readonly title: string;
}

/** How long it may take to end once it is asked to, in milliseconds. */
const END_MILLISECONDS = 5000;
const KEPT_OF_ERRORS = 16 * 1024;

/**
 * Runs a command to its end. Rejects with what it said where its exit code is not 0. On the signal it is asked to end, and
 * killed where it does not.
 */
export async function runCommandTask(task: CommandTask, signal: AbortSignal): Promise<void> {
  const child = spawn(task.program, task.arguments, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_OF_ERRORS);
  });
  const end = (): void => {
    child.kill('SIGTERM');
    killing = setTimeout(() => child.kill('SIGKILL'), END_MILLISECONDS);
  };
  let killing: NodeJS.Timeout | undefined;
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  try {
    const status = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code ?? ''}`));
    });
    if (status !== 'exit code 0')
      throw new WardlineError('INTERNAL', errorIn(said) ?? `${task.title} ended with ${status}`);
  } finally {
    clearTimeout(killing);
    signal.removeEventListener('abort', end);
  }
}

/** The last error among the JSON lines that a command with --json says. */
function errorIn(text: string): string | undefined {
  const errors = text.split('\n').flatMap((line) => {
    const [, message] = /^\{"error":\{"code":"\w+","message":("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
    return message === undefined ? [] : [String(JSON.parse(message))];
  });
  return errors.at(-1);
}
