import childProcess from 'node:child_process';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import cassandra from 'cassandra-driver';
import { replace, stopHere } from '../stop-here.ts';

type Around = 'before' | 'during' | 'after';

/** Steps of backup, prune and restore at which a process can stop itself, with what is replaced for it. */
const STEPS = {
  'before a snapshot': () => stopAtNodetool('snapshot', 'before'),
  'during a snapshot': () => stopAtNodetool('snapshot', 'during'),
  'after a snapshot': () => stopAtNodetool('snapshot', 'after'),
  'after an object': () => stopAtFile('rename', /\/objects\/.*\.age$/, 'after'),
  'before a manifest': () => stopAtFile('rename', /\/manifests\//, 'before'),
  'after a manifest': () => stopAtFile('rename', /\/manifests\//, 'after'),
  'after a manifest was removed': () => stopAtFile('rm', /\/manifests\//, 'after'),
  'after an object was removed': () => stopAtFile('rm', /\/objects\/.*\.age$/, 'after'),
  'after a truncation': () => stopAfterStatement(/^TRUNCATE /),
  'before an import': () => stopAtNodetool('import', 'before'),
  'during an import': () => stopAtNodetool('import', 'during'),
  'after an import': () => stopAtNodetool('import', 'after'),
} as const;

export type BackupStep = keyof typeof STEPS;

export function isBackupStep(step: string | undefined): step is BackupStep {
  return step !== undefined && step in STEPS;
}

export function stopAtBackupStep(step: BackupStep): void {
  STEPS[step]();
  // Modules import them by their names.
  syncBuiltinESMExports();
}

/** nodetool is a process of its own: it goes on while the one that started it stands still. */
function stopAtNodetool(command: string, around: Around): void {
  const old = childProcess.execFile;
  const patient = promisify(old);
  const execFile = (...call: Parameters<typeof old>): unknown => old(...call);
  const stopping = async (file: string, args: readonly string[], options: object): Promise<unknown> => {
    const isIt = args.includes(command);
    if (isIt && around === 'before') stopHere();
    const running = patient(file, [...args], options);
    if (isIt && around === 'during') stopHere();
    const answer = await running;
    if (isIt && around === 'after') stopHere();
    return answer;
  };
  Reflect.set(execFile, promisify.custom, stopping);
  Reflect.set(childProcess, 'execFile', execFile);
}

/** The last argument that is a text is the file that the call makes or removes. */
function stopAtFile(method: 'rename' | 'rm', path: RegExp, around: Exclude<Around, 'during'>): void {
  replace(files, method, async (old, call) => {
    const isIt = path.test(String(call.filter((argument) => typeof argument === 'string').at(-1)));
    if (isIt && around === 'before') stopHere();
    const answer = await old(...call);
    if (isIt && around === 'after') stopHere();
    return answer;
  });
}

function stopAfterStatement(query: RegExp): void {
  replace(cassandra.Client.prototype, 'execute', async (execute, call) => {
    const answer = await execute(...call);
    if (query.test(String(call[0]))) stopHere();
    return answer;
  });
}
