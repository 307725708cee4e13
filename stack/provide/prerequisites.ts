import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WardlineError } from '../../core/errors/errors.ts';

/** Kafka 4 and Cassandra 5.0 both run on this release; Cassandra 5.0 on none later. */
const JAVA_RELEASE = 17;
const PROBE_TIMEOUT_MILLISECONDS = 20_000;

/**
 * The `java` to start the servers with: of JAVA_HOME where that is set, else the one on the path.
 * Throws PREREQUISITE_MISSING where there is none, or it is too old or too new.
 */
export async function requireJava(environment: NodeJS.ProcessEnv): Promise<string> {
  const home = environment['JAVA_HOME'];
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const output = await versionOutput(java, ['-version']);
  const release = output === undefined ? undefined : javaRelease(output);
  if (release === JAVA_RELEASE) return java;
  throw new WardlineError(
    'PREREQUISITE_MISSING',
    release === undefined
      ? `no Java was found (tried ${java})`
      : `${java} is Java ${release}; Java ${JAVA_RELEASE} is needed`,
    { hint: `install JDK ${JAVA_RELEASE}, or set JAVA_HOME to one` },
  );
}

/** The `mvn` to download with. Throws PREREQUISITE_MISSING where there is none. */
export async function requireMaven(environment: NodeJS.ProcessEnv): Promise<string> {
  const home = environment['MAVEN_HOME'];
  const maven = home === undefined || home === '' ? 'mvn' : join(home, 'bin', 'mvn');
  if ((await versionOutput(maven, ['--version'])) !== undefined) return maven;
  throw new WardlineError(
    'PREREQUISITE_MISSING',
    `no Maven was found (tried ${maven}); it downloads the servers once`,
    {
      hint: 'install Maven 3.8 or newer',
    },
  );
}

/** The feature release in what `java -version` prints: 17 for "17.0.15", 8 for "1.8.0". */
export function javaRelease(output: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  if (first === undefined) return undefined;
  return Number(first === '1' ? second : first);
}

async function versionOutput(command: string, options: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, options, { timeout: PROBE_TIMEOUT_MILLISECONDS });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
