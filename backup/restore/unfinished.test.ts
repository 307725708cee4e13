import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryHome, type TemporaryHome } from '../../test/support/temporary-home.ts';
import { beginRestore, endRestore, unfinishedRestores } from './unfinished.ts';

let temporary: TemporaryHome;

beforeEach(() => (temporary = temporaryHome()));
afterEach(() => temporary.remove());

it('remembers the tables of restores that have not ended, each with its last backup', () => {
  const { home } = temporary;
  expect(unfinishedRestores(home)).toEqual({});
  beginRestore(home, 'one', ['k.a', 'k.b']);
  beginRestore(home, 'two', ['k.b', 'k.c']);
  expect(unfinishedRestores(home)).toEqual({ 'k.a': 'one', 'k.b': 'two', 'k.c': 'two' });
  endRestore(home, ['k.b', 'k.d']);
  expect(unfinishedRestores(home)).toEqual({ 'k.a': 'one', 'k.c': 'two' });
  endRestore(home, ['k.a', 'k.c']);
  expect(unfinishedRestores(home)).toEqual({});
});

it('forgets a restore that touched nothing, and no other', () => {
  const { home } = temporary;
  beginRestore(home, 'one', ['k.a']);
  const takeBack = beginRestore(home, 'two', ['k.a', 'k.b']);
  takeBack();
  expect(unfinishedRestores(home)).toEqual({ 'k.a': 'one' });
});

it('is not stopped by a file that cannot be read', () => {
  const { home } = temporary;
  beginRestore(home, 'one', ['k.a']);
  writeFileSync(join(home.paths.backup, 'unfinished-restores.json'), '{"k.a":');
  expect(unfinishedRestores(home)).toEqual({});
});
