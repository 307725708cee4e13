import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of this user's cache that all homes share. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const given = environment['XDG_CACHE_HOME'];
  return join(given === undefined || given === '' ? join(homedir(), '.cache') : given, 'wardline');
}
