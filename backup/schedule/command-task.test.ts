import { describe, expect, it } from 'vitest';
import { runCommandTask } from './command-task.ts';

const never = new AbortController().signal;

function node(script: string, signal = never): Promise<void> {
  return runCommandTask({ program: process.execPath, arguments: ['-e', script], title: 'backup verify' }, signal);
}

describe('a command as a task', () => {
  it('is done with exit code 0', async () => {
    await node('');
  });

  it('fails with what the command said', async () => {
    const error = JSON.stringify({ error: { code: 'STORE_FULL', message: 'the "store" is full', hint: 'more' } });
    const script = `console.error('a remark'); console.error(${JSON.stringify(error)}); process.exit(1)`;
    await expect(node(script)).rejects.toThrow('the "store" is full');
  });

  it('fails with the exit code where the command said nothing', async () => {
    await expect(node('process.exit(4)')).rejects.toThrow('backup verify ended with exit code 4');
  });

  it('fails where there is no such program', async () => {
    const missing = { program: '/nowhere', arguments: [], title: 'backup verify' };
    await expect(runCommandTask(missing, never)).rejects.toThrow('ENOENT');
  });

  it('ends when it is asked to', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    await expect(node('setTimeout(() => {}, 60000)', stop.signal)).rejects.toThrow('SIGTERM');
    await expect(node('setTimeout(() => {}, 60000)', stop.signal)).rejects.toThrow('SIGTERM');
  });
});
