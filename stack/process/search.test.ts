import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { findByArgument } from './search.ts';

it('finds a process by its last argument, whole', async () => {
  const argument = `@/a folder/${process.pid}/java.options`;
  expect(findByArgument(argument)).toBeUndefined();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)', argument], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    expect(findByArgument(argument)?.pid).toBe(child.pid);
    expect(findByArgument(argument.slice(1))).toBeUndefined();
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  expect(findByArgument(argument)).toBeUndefined();
});
