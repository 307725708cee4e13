import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { javaRelease, requireJava, requireMaven } from './prerequisites.ts';

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'wardline-java-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that prints as `java -version` or `mvn --version` would. */
function program(name: string, output: string): NodeJS.ProcessEnv {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\necho '${output}' >&2\n`);
  chmodSync(path, 0o755);
  return { JAVA_HOME: folder, MAVEN_HOME: folder };
}

it.each([
  { output: 'openjdk version "17.0.15" 2025-04-15', release: 17 },
  { output: 'openjdk version "17" 2021-09-14', release: 17 },
  { output: 'java version "1.8.0_392"', release: 8 },
  { output: 'openjdk version "21-ea" 2023-09-19', release: 21 },
  { output: 'The operation could not be completed', release: undefined },
])('reads the release of: $output', ({ output, release }) => {
  expect(javaRelease(output)).toBe(release);
});

describe('java', () => {
  it('is taken from JAVA_HOME', async () => {
    const environment = program('java', 'openjdk version "17.0.1"');
    await expect(requireJava(environment)).resolves.toBe(join(folder, 'bin', 'java'));
  });

  it.each(['11.0.20', '21.0.2'])('of another release, %s, is refused by name', async (version) => {
    await expect(requireJava(program('java', `openjdk version "${version}"`))).rejects.toMatchObject({
      code: 'PREREQUISITE_MISSING',
      message: expect.stringContaining(`is Java ${version.slice(0, 2)}; Java 17 is needed`) as string,
    });
  });

  it('that is not there is refused with what to do', async () => {
    await expect(requireJava({ JAVA_HOME: folder })).rejects.toMatchObject({
      code: 'PREREQUISITE_MISSING',
      hint: expect.stringContaining('JDK 17') as string,
    });
  });
});

describe('Maven', () => {
  it('is taken from MAVEN_HOME', async () => {
    await expect(requireMaven(program('mvn', 'Apache Maven 3.9.9'))).resolves.toBe(join(folder, 'bin', 'mvn'));
  });

  it('that is not there is refused with what to do', async () => {
    await expect(requireMaven({ MAVEN_HOME: folder })).rejects.toMatchObject({
      code: 'PREREQUISITE_MISSING',
      hint: expect.stringContaining('Maven') as string,
    });
  });
});
