import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { choosePorts, LOOPBACK, readPorts, requireFreePorts } from './ports.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-ports-'));
  file = join(folder, 'servers', 'ports.json');
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
  const ports = await choosePorts(file);
  const numbers = Object.values(ports);
  expect(new Set(numbers).size).toBe(6);
  expect(numbers.every((port) => port >= 20_000 && port < 30_000)).toBe(true);
  expect(await choosePorts(file)).toEqual(ports);
});

it('chooses anew where the file is damaged', async () => {
  await choosePorts(file);
  writeFileSync(file, '{"kafkaClient": 1');
  expect(readPorts(file)).toBeUndefined();
  expect(await choosePorts(file)).toEqual(readPorts(file));
});

it('names the port, what needs it, who has it and where it is written', async () => {
  const ports = await choosePorts(file);
  const server = await listen(ports.kafkaController);
  await expect(requireFreePorts('kafka', ports, file)).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringMatching(
      new RegExp(`port ${ports.kafkaController}, .*Kafka.*controller.* process ${process.pid} `),
    ) as string,
    hint: expect.stringContaining(file) as string,
  });
  await expect(requireFreePorts('cassandra', ports, file)).resolves.toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  await expect(requireFreePorts('kafka', ports, file)).resolves.toBeUndefined();
});

it('gives a process that is just ending a moment to let go', async () => {
  const ports = await choosePorts(file);
  const server = await listen(ports.cassandraJmx);
  setTimeout(() => server.close(), 300);
  await expect(requireFreePorts('cassandra', ports, file)).resolves.toBeUndefined();
});
