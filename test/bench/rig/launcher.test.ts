import { expect, test } from 'vitest';
import { launcherEnvironment, launcherFlags } from './launcher.ts';

test('the launcher of this project starts Node in the known form', () => {
  expect(launcherFlags()).toContain('--max-old-space-size=1024');
});

test('all flags are taken, in their order', () => {
  const script = 'set -eu\nexec "$node" --one=8 --two "$main" "$@"\n';
  expect(launcherFlags(script)).toEqual(['--one=8', '--two']);
});

test('another form is an error, never no flags', () => {
  expect(() => launcherFlags('exec node cli/main.ts')).toThrow('launcher');
});

test('its environment is taken as well, and another form is an error', () => {
  expect(launcherEnvironment()).toEqual({ MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '262144' });
  expect(() => launcherEnvironment('MALLOC_ARENA_MAX=2 exec node')).toThrow('launcher');
});
