import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WardlineError } from '../../core/errors/errors.ts';
import { makeSecretFolder } from '../../core/files.ts';
import { cacheFolder } from './cache.ts';
import { requireMaven } from './prerequisites.ts';
import { SERVER_NAMES, type ServerName } from '../layout.ts';

const POM = join(import.meta.dirname, '..', 'pom.xml');
/** The digest of each jar, as `sha256sum` prints and checks it: what the pom names is no more than a version. */
const LOCK = join(import.meta.dirname, '..', 'jars.sha256');
/** Written last: a folder that has it is complete. */
const COMPLETE = 'complete';
const HASH_CHARACTERS = 16;
const MAVEN_TIMEOUT_MILLISECONDS = 15 * 60_000;
const MAVEN_OUTPUT_BYTES = 1024 * 1024;

export type JarFolders = Readonly<Record<ServerName, string>>;

/**
 * The folders with the servers' jars, downloaded by Maven at the first call for one state of the pom and held against the
 * digests in `lock`, afterwards found in the user's cache without Maven or network. Two processes may call it at once: each downloads
 * into a folder of its own, and the first to finish gives it its name. Where WARDLINE_JARS names a folder, its folders are
 * taken as they are.
 * Throws PREREQUISITE_MISSING where Maven is needed and missing, SERVER_START_FAILED where it fails or what it brought is
 * not what the lock names.
 */
export async function provideJars(
  environment: NodeJS.ProcessEnv,
  report: (line: string) => void,
  lock = LOCK,
): Promise<JarFolders> {
  const present = presentJars(environment);
  if (present !== undefined) return present;
  const folder = jarsFolder(environment);
  await download(folder, environment, report, readFileSync(lock, 'utf8'));
  return foldersIn(folder);
}

/** The same where nothing needs to be downloaded; else undefined. */
export function presentJars(environment: NodeJS.ProcessEnv): JarFolders | undefined {
  const given = environment['WARDLINE_JARS'];
  if (given !== undefined && given !== '') return foldersIn(given);
  const folder = jarsFolder(environment);
  return existsSync(join(folder, COMPLETE)) ? foldersIn(folder) : undefined;
}

function foldersIn(folder: string): JarFolders {
  return { kafka: join(folder, 'kafka'), cassandra: join(folder, 'cassandra') };
}

/** The one jar of `folder` whose name starts with `artifact-` and a digit. Throws NOT_FOUND where it is missing. */
export function jarOf(folder: string, artifact: string): string {
  const name = readdirSync(folder).find(
    (file) => file.startsWith(`${artifact}-`) && /^\d/.test(file.slice(artifact.length + 1)),
  );
  if (name === undefined)
    throw new WardlineError('NOT_FOUND', `${folder} has no jar of ${artifact}`, {
      hint: 'delete that folder and run: wardline setup',
    });
  return join(folder, name);
}

function jarsFolder(environment: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, HASH_CHARACTERS);
  return join(cacheFolder(environment), `jars-${hash}`);
}

async function download(
  folder: string,
  environment: NodeJS.ProcessEnv,
  report: (line: string) => void,
  lock: string,
): Promise<void> {
  const maven = await requireMaven(environment);
  makeSecretFolder(join(folder, '..'));
  const temporary = mkdtempSync(`${folder}.`);
  try {
    for (const server of SERVER_NAMES) {
      report(`downloading ${server} (once; into ${folder})`);
      await copyDependencies(maven, server, join(temporary, server));
    }
    requireLocked(temporary, lock);
    writeFileSync(join(temporary, COMPLETE), '');
    moveIntoPlace(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Throws SERVER_START_FAILED unless the folder has the files that the lock names, with those digests, and no other. */
function requireLocked(folder: string, lock: string): void {
  const found = SERVER_NAMES.flatMap((server) => readdirSync(join(folder, server)).map((name) => `${server}/${name}`));
  const wanted = new Map(
    lock.split('\n').flatMap((line): [string, string][] => {
      const [digest = '', name] = line.split('  ');
      return name === undefined ? [] : [[name, digest]];
    }),
  );
  const differ = [...new Set([...found, ...wanted.keys()])].filter(
    (name) => !found.includes(name) || wanted.get(name) !== digestOf(join(folder, name)),
  );
  if (differ.length === 0) return;
  throw new WardlineError(
    'SERVER_START_FAILED',
    `${differ.length} jars are not those of stack/jars.sha256, ${differ[0]} among them`,
    {
      hint: 'something between here and the repository changes what is downloaded; where the pom was changed, see CONTRIBUTING.md',
    },
  );
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function moveIntoPlace(temporary: string, folder: string): void {
  try {
    renameSync(temporary, folder);
  } catch (error) {
    // Another process was first; what it put there is the same.
    if (!existsSync(join(folder, COMPLETE))) throw error;
  }
}

async function copyDependencies(maven: string, profile: ServerName, output: string): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`];
  try {
    await promisify(execFile)(
      maven,
      ['--batch-mode', '--quiet', '--strict-checksums', '--file', POM, '--activate-profiles', profile, ...goal],
      { timeout: MAVEN_TIMEOUT_MILLISECONDS, maxBuffer: MAVEN_OUTPUT_BYTES },
    );
  } catch (error) {
    throw new WardlineError(
      'SERVER_START_FAILED',
      `Maven could not download the jars of ${profile}: ${firstError(error)}`,
      {
        hint: 'check the network and Maven settings, then run: wardline setup',
        cause: error,
      },
    );
  }
}

function firstError(error: unknown): string {
  const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  return (
    /\[ERROR\].*/.exec(output)?.[0] ?? (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
  );
}
