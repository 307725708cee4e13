import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { holderOf, tryLock, waitForLock } from './lock.ts';

const MODULE = join(import.meta.dirname, 'lock.ts');

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-lock-'));
  path = join(folder, 'lock');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program that has `tryLock` and `waitForLock` at hand, and returns what it printed. */
async function run(program: string): Promise<string> {
  const source = `import { tryLock, waitForLock } from ${JSON.stringify(MODULE)};
    const path = ${JSON.stringify(path)};
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child, 'close');
  return output;
}

it('is held once, and free again after its release', () => {
  const lock = tryLock(path);
  expect(lock).toBeDefined();
  expect(tryLock(path)).toBeUndefined();
  expect(holderOf(path)?.pid).toBe(process.pid);
  lock?.release();
  expect(holderOf(path)).toBeUndefined();
  expect(tryLock(path)).toBeDefined();
});

it('leaves one file behind, however often it was taken', () => {
  for (let round = 0; round < 5; round += 1) tryLock(path)?.release();
  expect(readdirSync(folder)).toHaveLength(1);
});

it('is not to be had while another process holds it', async () => {
  const lock = tryLock(path);
  expect(await run(`process.stdout.write(String(tryLock(path) === undefined))`)).toBe('true');
  lock?.release();
  expect(await run(`process.stdout.write(String(tryLock(path) === undefined))`)).toBe('false');
});

it('is taken over from a process that died with it', async () => {
  await run(`tryLock(path); process.kill(process.pid, 'SIGKILL');`);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(holderOf(path)).toBeUndefined();
  expect(tryLock(path)).toBeDefined();
});

it('is taken over from a claim that cannot be read', () => {
  writeFileSync(`${path}.7`, '{"pid":');
  expect(tryLock(path)).toBeDefined();
  expect(readdirSync(folder)).toEqual(['lock.8']);
});

it('tells the waiting one whom it waits for', async () => {
  const lock = tryLock(path);
  const waitedFor: (number | undefined)[] = [];
  const waiting = waitForLock(path, (holder) => waitedFor.push(holder));
  lock?.release();
  (await waiting).release();
  expect(waitedFor).toEqual([process.pid]);
});

it('lets one process in at a time when many want in and some die inside', async () => {
  const log = join(folder, 'log');
  const contender = `
    import { appendFileSync } from 'node:fs';
    for (let round = 0; round < 5; round += 1) {
      const lock = await waitForLock(path, () => undefined);
      appendFileSync(${JSON.stringify(log)}, 'in\\n');
      await new Promise((resolve) => setTimeout(resolve, 2));
      appendFileSync(${JSON.stringify(log)}, 'out\\n');
      if (round === 3 && process.pid % 2 === 0) process.kill(process.pid, 'SIGKILL');
      lock.release();
    }`;
  await Promise.all(Array.from({ length: 4 }, () => run(contender)));
  const steps = readFileSync(log, 'utf8').trim().split('\n');
  expect(steps.length).toBeGreaterThanOrEqual(4 * 4 * 2);
  expect(steps.filter((step, index) => step !== (index % 2 === 0 ? 'in' : 'out'))).toEqual([]);
});

it('is held by nobody where its folder was never made', () => {
  expect(holderOf(join(folder, 'never', 'lock'))).toBeUndefined();
});
