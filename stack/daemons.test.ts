import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryHome, type TemporaryHome } from '../test/support/temporary-home.ts';
import { daemonPlan, isRefusal, lastErrorOf, serversAnswer } from './daemons.ts';
import { stackLayout } from './layout.ts';

let temporary: TemporaryHome;

beforeEach(() => {
  temporary = temporaryHome();
  mkdirSync(temporary.home.paths.logs);
});

afterEach(() => temporary.remove());

it('starts a daemon with the Node flags of the command', () => {
  const command = readFileSync(join(import.meta.dirname, '../wardline'), 'utf8');
  const { arguments: given, foundBy } = daemonPlan(temporary.home, 'notary');
  const flags = given.filter((argument) => /^--max/.test(argument));
  expect(flags.length).toBeGreaterThan(0);
  expect(command).toContain(`exec "$node" ${flags.join(' ')} "$main"`);
  expect(given.join(' ').endsWith(foundBy)).toBe(true);
});

it('tells a refusal from a crash', () => {
  expect(['exit code 4', 'exit code 3', 'exit code 1', 'signal SIGKILL', null, undefined].map(isRefusal)).toEqual([
    ...[true, true],
    ...[false, false, false, false],
  ]);
});

it('finds the last error that a daemon said', () => {
  const { home } = temporary;
  expect(lastErrorOf(home, 'notary')).toBeUndefined();
  const error = (message: string): string => JSON.stringify({ error: { code: 'AUDIT_FORK', message, hint: 'see' } });
  const lines = [error('an older one'), '{"level":"info"}', error('it says "no"'), 'no JSON at all'];
  writeFileSync(stackLayout(home).daemons.notary, `${lines.join('\n')}\n`);
  expect(lastErrorOf(home, 'notary')).toBe('it says "no"');
});

it('does not expect servers to answer that were never set up', async () => {
  expect(await serversAnswer(temporary.home)).toBe(false);
});
