import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Programs of others that tests hold ours against, as Go packages of fixed versions; Go checks what it fetches. */
const TOOLS = {
  age: 'filippo.io/age/cmd/age@v1.2.1',
  'age-keygen': 'filippo.io/age/cmd/age-keygen@v1.2.1',
  versitygw: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0',
} as const;

/** The first build of the largest takes two minutes of two cores; a test's hook needs as long. */
export const GO_BUILD_MILLISECONDS = 600_000;

/** Whether these programs can be had: tests that hold ours against them are left out, and say so, where they cannot. */
export const HAS_GO_TOOLS = spawnSync('go', ['version']).status === 0 || existsSync(toolsFolder());

/**
 * The path of a program, built at the first call for its version and afterwards found in the user's cache without Go or
 * network. Several processes may call it at once: the first to finish gives its build the name.
 */
export async function goTool(name: keyof typeof TOOLS): Promise<string> {
  const source = TOOLS[name];
  const folder = toolsFolder();
  const path = join(folder, `${name}-${source.slice(source.lastIndexOf('@') + 1)}`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const temporary = mkdtempSync(`${path}.`);
  try {
    await promisify(execFile)('go', ['install', source], {
      cwd: temporary,
      env: { ...process.env, GOBIN: temporary },
      timeout: GO_BUILD_MILLISECONDS,
    });
    renameSync(join(temporary, name), path);
  } catch (error) {
    throw new Error(`these tests need Go and its module proxy once, to build ${source}`, { cause: error });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return path;
}

function toolsFolder(): string {
  const set = process.env['XDG_CACHE_HOME'];
  return join(set === undefined || set === '' ? join(homedir(), '.cache') : set, 'wardline', 'go-tools');
}
