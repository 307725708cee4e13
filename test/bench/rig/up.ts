import { resolve } from 'node:path';
import { watch } from './child.ts';

const COMMAND = resolve(import.meta.dirname, '../../../cli/main.ts');

/** Runs `wardline up` for a home, as a user would. Returns the seconds from its start to its answer. */
export async function up(home: string): Promise<number> {
  const { seconds } = await watch(process.execPath, [COMMAND, 'up', '--home', home, '--json']).finished.catch(failed);
  return seconds;
}

function failed(error: unknown): never {
  throw new Error('wardline up failed', { cause: error });
}
