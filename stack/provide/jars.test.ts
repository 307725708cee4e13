import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { jarOf, presentJars, provideJars } from './jars.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
let lock: string;
const quiet = (): void => undefined;
const EMPTY = createHash('sha256').digest('hex');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-jars-'));
  environment = { XDG_CACHE_HOME: join(folder, 'cache'), MAVEN_HOME: folder };
  lock = join(folder, 'jars.sha256');
  writeFileSync(lock, `${EMPTY}  kafka/a-1.jar\n${EMPTY}  cassandra/a-1.jar\n`);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In Maven's place: a program that notes each call and does `work` with $output as the folder to fill. */
function maven(work: string): void {
  mkdirSync(join(folder, 'bin'));
  const path = join(folder, 'bin', 'mvn');
  writeFileSync(
    path,
    `#!/bin/sh
echo "$*" >> ${folder}/calls
for argument in "$@"; do case $argument in -DoutputDirectory=*) output=\${argument#*=} ;; esac; done
[ -z "$output" ] || { ${work}; }
`,
  );
  chmodSync(path, 0o755);
}

const calls = (): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
const caches = (): string[] => readdirSync(join(folder, 'cache', 'wardline'));

it('downloads each class path once, with strict checksums, and then needs Maven no more', async () => {
  maven('mkdir -p "$output" && touch "$output/a-1.jar"');
  const first = await provideJars(environment, quiet, lock);
  expect(existsSync(join(first.kafka, 'a-1.jar'))).toBe(true);
  const downloads = calls().filter((call) => call.includes('copy-dependencies'));
  expect(downloads).toHaveLength(2);
  expect(downloads.every((call) => call.includes('--strict-checksums'))).toBe(true);
  rmSync(join(folder, 'bin'), { recursive: true });
  expect(await provideJars(environment, quiet, lock)).toEqual(first);
});

it('two at once end with one complete folder', async () => {
  maven('sleep 0.1; mkdir -p "$output" && touch "$output/a-1.jar"');
  const [one, other] = await Promise.all([
    provideJars(environment, quiet, lock),
    provideJars(environment, quiet, lock),
  ]);
  expect(one).toEqual(other);
  expect(caches()).toHaveLength(1);
});

it('leaves nothing that looks complete when a download fails, and says what Maven said', async () => {
  maven(
    'case $output in *cassandra) echo "[ERROR] no route to the repository"; exit 1 ;; *) mkdir -p "$output" ;; esac',
  );
  await expect(provideJars(environment, quiet, lock)).rejects.toMatchObject({
    code: 'SERVER_START_FAILED',
    message: expect.stringContaining('no route to the repository') as string,
  });
  expect(caches()).toEqual([]);
});

it.each([
  ['has another content', 'mkdir -p "$output" && echo x > "$output/a-1.jar"', 'kafka/a-1.jar'],
  ['is one too many', 'mkdir -p "$output" && touch "$output/a-1.jar" "$output/b-1.jar"', 'kafka/b-1.jar'],
  ['is missing', 'mkdir -p "$output"', 'kafka/a-1.jar'],
])('takes no jar that %s', async (_what, work, name) => {
  maven(work);
  await expect(provideJars(environment, quiet, lock)).rejects.toMatchObject({
    code: 'SERVER_START_FAILED',
    message: expect.stringContaining(name) as string,
  });
  expect(caches()).toEqual([]);
});

it('the lock names every jar that was downloaded', () => {
  const kafka = presentJars(process.env)?.kafka ?? '';
  const names = readFileSync(join(import.meta.dirname, '..', 'jars.sha256'), 'utf8');
  for (const name of readdirSync(kafka)) expect(names).toContain(`  kafka/${name}\n`);
});

it('finds one jar by its artifact, not by a longer name', () => {
  for (const name of ['jamm-0.4.0.jar', 'jamm-extras-1.0.jar']) writeFileSync(join(folder, name), '');
  expect(jarOf(folder, 'jamm')).toBe(join(folder, 'jamm-0.4.0.jar'));
  expect(() => jarOf(folder, 'netty')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }) as Error);
});
