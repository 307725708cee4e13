import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryHome, type TemporaryHome } from '../test/support/temporary-home.ts';
import { stackLayout } from './layout.ts';
import { stackLogs } from './logs.ts';

let temporary: TemporaryHome;
let file: string;

beforeEach(() => {
  temporary = temporaryHome();
  file = stackLayout(temporary.home).kafka.log;
  mkdirSync(temporary.home.paths.logs);
});

afterEach(() => temporary.remove());

async function collect(lines: number): Promise<string[]> {
  const found: string[] = [];
  for await (const line of stackLogs(temporary.home, 'kafka', { lines })) found.push(line);
  return found;
}

it('gives the last lines, all where there are fewer, none where there is no log', async () => {
  expect(await collect(2)).toEqual([]);
  writeFileSync(file, 'a\nb\nc\n');
  expect(await collect(2)).toEqual(['b', 'c']);
  expect(await collect(9)).toEqual(['a', 'b', 'c']);
});

it('follows a log over its rotation without losing a line, and characters over the end of a read', async () => {
  writeFileSync(file, 'old\n');
  const stop = new AbortController();
  const lines: string[] = [];
  const steps = [
    () => appendFileSync(file, Buffer.from([0xc3])),
    () => appendFileSync(file, Buffer.concat([Buffer.from([0xa4]), Buffer.from('\n')])),
    () => {
      appendFileSync(file, 'last of the old file\n');
      renameSync(file, `${file}.1`);
      writeFileSync(file, 'first of the new file\n');
    },
    () => stop.abort(),
  ];
  const timer = setInterval(() => steps.shift()?.(), 450);
  for await (const line of stackLogs(temporary.home, 'kafka', { lines: 1, follow: true, signal: stop.signal }))
    lines.push(line);
  clearInterval(timer);
  expect(lines).toEqual(['old', 'ä', 'last of the old file', 'first of the new file']);
});
