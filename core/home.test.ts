import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../test/support/failure.ts';
import { HOME_FORMAT, homePaths, markerText, openHome, openOrCreateHome, resolveHome } from './home.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'wardline-home-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function withMarker(text: string): string {
  const path = join(folder, 'home');
  mkdirSync(path, { recursive: true });
  writeFileSync(homePaths(path).marker, text);
  return path;
}

describe('which home', () => {
  it('the flag wins over the variable, and the variable over the nearest folder', () => {
    openOrCreateHome(join(folder, '.wardline'));
    expect(resolveHome('by-flag', { WARDLINE_HOME: 'by-variable' }, folder)).toBe(join(folder, 'by-flag'));
    expect(resolveHome(undefined, { WARDLINE_HOME: 'by-variable' }, folder)).toBe(join(folder, 'by-variable'));
    expect(resolveHome(undefined, {}, folder)).toBe(join(folder, '.wardline'));
  });

  it('an empty variable counts as none', () => {
    openOrCreateHome(join(folder, '.wardline'));
    expect(resolveHome(undefined, { WARDLINE_HOME: '' }, folder)).toBe(join(folder, '.wardline'));
  });

  it('the nearest one upward is found from far below, and the nearest of two', () => {
    const deep = join(folder, 'a', 'b', 'c');
    mkdirSync(deep, { recursive: true });
    openOrCreateHome(join(folder, '.wardline'));
    expect(resolveHome(undefined, {}, deep)).toBe(join(folder, '.wardline'));
    openOrCreateHome(join(folder, 'a', '.wardline'));
    expect(resolveHome(undefined, {}, deep)).toBe(join(folder, 'a', '.wardline'));
  });

  it('a .wardline folder without a marker is passed over', () => {
    mkdirSync(join(folder, 'a', '.wardline'), { recursive: true });
    openOrCreateHome(join(folder, '.wardline'));
    expect(resolveHome(undefined, {}, join(folder, 'a'))).toBe(join(folder, '.wardline'));
  });

  it('without any, the error says how to make one', () => {
    const failure = expect.objectContaining({
      code: 'HOME_NOT_FOUND',
      hint: expect.stringContaining('wardline up --home') as string,
    }) as Error;
    expect(() => resolveHome(undefined, {}, folder)).toThrow(failure);
  });
});

describe('a home', () => {
  it('is made once and keeps its installation', () => {
    const made = openOrCreateHome(join(folder, 'home'));
    expect(openOrCreateHome(join(folder, 'home')).install).toBe(made.install);
    expect(openHome(join(folder, 'home'))).toEqual(made);
  });

  it('is another installation than every other', () => {
    expect(openOrCreateHome(join(folder, 'a')).install).not.toBe(openOrCreateHome(join(folder, 'b')).install);
  });

  it('is for its owner only', () => {
    const { path, paths } = openOrCreateHome(join(folder, 'home'));
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(paths.marker).mode & 0o777).toBe(0o600);
  });

  it('has every place inside itself, no two the same', () => {
    const places = Object.values(homePaths('/h'));
    expect(places.every((place) => place.startsWith('/h/'))).toBe(true);
    expect(new Set(places).size).toBe(places.length);
  });

  it('keeps what processes write elsewhere, where its marker says so', () => {
    const path = withMarker(markerText({ install: 'i', state: '/s' }));
    const { paths } = openHome(path);
    expect(paths.principals).toBe(join(path, 'principals'));
    expect([paths.spool, paths.logs, paths.backup]).toEqual(['/s/spool', '/s/logs', '/s/backup']);
  });

  it('is not opened where there is none', () => {
    expect(codeOf(() => openHome(join(folder, 'absent')))).toBe('HOME_NOT_FOUND');
  });

  it.each([
    ['newer', HOME_FORMAT + 1, 'newer wardline'],
    ['older', HOME_FORMAT - 1, 'no longer read'],
  ])('of a %s format is refused, with what to do', (_which, format, advice) => {
    const path = withMarker(JSON.stringify({ format, install: 'i' }));
    const failure = expect.objectContaining({
      code: 'HOME_FORMAT',
      hint: expect.stringContaining(advice) as string,
    }) as Error;
    expect(() => openHome(path)).toThrow(failure);
    expect(() => openOrCreateHome(path)).toThrow(failure);
  });

  it.each(['', '{', '[]', '{"format":"1","install":"i"}', '{"format":1}', '{"format":1,"install":"i","state":"here"}'])(
    'with the marker %j is refused as damaged',
    (text) => {
      const path = withMarker(text);
      expect(() => openHome(path)).toThrow('damaged');
      expect(codeOf(() => openOrCreateHome(path))).toBe('HOME_FORMAT');
    },
  );
});
