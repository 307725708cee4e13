import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { choosePorts, LOOPBACK, readPorts, requireFreePorts } from './ports.ts';

let folder: string;
let file: string;
let environment: NodeJS.ProcessEnv;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-ports-'));
  file = join(folder, 'servers', 'ports.json');
  environment = { XDG_CACHE_HOME: join(folder, 'cache') };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, LOOPBACK, () => resolve(server));
  });
}

it('chooses different ports, outside those of outgoing connections, and keeps them', async () => {
  const ports = await choosePorts(file, environment);
  const numbers = Object.values(ports);
  expect(new Set(numbers).size).toBe(6);
  expect(numbers.every((port) => port >= 20_000 && port < 30_000)).toBe(true);
  expect(await choosePorts(file, environment)).toEqual(ports);
});

it('chooses anew where the file is damaged', async () => {
  await choosePorts(file, environment);
  writeFileSync(file, '{"kafkaClient": 1');
  expect(readPorts(file)).toBeUndefined();
  expect(await choosePorts(file, environment)).toEqual(readPorts(file));
});

it('chooses no port that another home keeps, whose servers are stopped', async () => {
  // 360 of 10,000: by chance alone they would be different once in five hundred times.
  const files = Array.from({ length: 60 }, (_, number) => join(folder, `home-${number}`, 'ports.json'));
  const chosen = await Promise.all(files.map((each) => choosePorts(each, environment)));
  const numbers = chosen.flatMap((ports) => Object.values(ports));
  expect(new Set(numbers).size).toBe(360);
});

it('forgets a home that is gone', async () => {
  const other = join(folder, 'other', 'ports.json');
  await choosePorts(other, environment);
  rmSync(dirname(other), { recursive: true });
  await choosePorts(file, environment);
  expect(JSON.parse(readFileSync(join(folder, 'cache', 'wardline', 'ports-of-homes.json'), 'utf8'))).toEqual([file]);
});

it('goes on where the cache cannot be written, or is damaged', async () => {
  writeFileSync(join(folder, 'cache'), 'a file');
  expect(await choosePorts(file, environment)).toEqual(readPorts(file));
  rmSync(join(folder, 'cache'));
  const other = join(folder, 'other', 'ports.json');
  await choosePorts(other, environment);
  writeFileSync(join(folder, 'cache', 'wardline', 'ports-of-homes.json'), '["');
  rmSync(other);
  expect(await choosePorts(other, environment)).toEqual(readPorts(other));
});

it('names the port, what needs it, who has it and where it is written', async () => {
  const ports = await choosePorts(file, environment);
  const server = await listen(ports.kafkaController);
  await expect(requireFreePorts('kafka', ports, file)).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringMatching(
      new RegExp(`port ${ports.kafkaController}, .*Kafka.*controller.* process ${process.pid} `),
    ) as string,
    hint: expect.stringContaining(file) as string,
  });
  await expect(requireFreePorts('cassandra', ports, file)).resolves.toBeUndefined();
  await expect(requireFreePorts('kafka', ports, file, process.pid)).resolves.toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  await expect(requireFreePorts('kafka', ports, file)).resolves.toBeUndefined();
});

it('gives a process that is just ending a moment to let go', async () => {
  const ports = await choosePorts(file, environment);
  const server = await listen(ports.cassandraJmx);
  setTimeout(() => server.close(), 300);
  await expect(requireFreePorts('cassandra', ports, file)).resolves.toBeUndefined();
});
