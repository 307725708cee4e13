import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRecovery } from '../../backup/recipients/recovery.ts';
import { systemClock } from '../../core/clock.ts';
import { loadConnection, loadSettings } from '../../core/configuration.ts';
import type { Connection } from '../../core/connection.ts';
import { openOrCreateHome, type Home } from '../../core/home.ts';
import { identities } from '../../security/certs/identities.ts';
import { cassandraClient } from '../../security/connect/cassandra/cassandra.ts';
import { kafkaClient } from '../../security/connect/kafka/kafka.ts';
import { AUDIT_TOPIC, CHECKPOINTS_TOPIC, PRINCIPAL_NAMES } from '../../security/principals/names.ts';
import { reloadCertificates, restartServer, stackLogs, stackStatus, startStack, stopStack } from '../../stack/index.ts';

import { DAEMON_NAMES, stackLayout } from '../../stack/layout.ts';
import { readPorts } from '../../stack/ports.ts';
import {
  killProcess,
  lastReplay,
  looseFiles,
  pids,
  processList,
  readRows,
  waitFor,
  writeRow,
} from '../support/stack-processes.ts';

const MEMORY_LIMIT_BYTES = 2.5 * 1024 ** 3;
const SAMPLE_MILLISECONDS = 100;

let folder: string;
let home: Home;
let connection: Connection;
const quiet = (): void => undefined;
const up = (): Promise<Connection> => startStack(home, loadSettings(home), quiet);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-stack-'));
  home = openOrCreateHome(join(folder, 'a home with spaces'));
  await ensureRecovery(home, systemClock);
});

afterAll(async () => {
  if (existsSync(home.path)) await stopStack(home, { wipe: true });
  rmSync(folder, { recursive: true, force: true });
});

describe('the first start', () => {
  it('shows no secret in the process list and leaves no loose file', async () => {
    const listings: string[] = [];
    const sampler = setInterval(() => listings.push(processList()), SAMPLE_MILLISECONDS);
    connection = await up();
    clearInterval(sampler);
    const secrets = identities(home).flatMap((identity) => identity.secrets.map((path) => readFileSync(path, 'utf8')));
    expect(secrets.length).toBeGreaterThanOrEqual(PRINCIPAL_NAMES.length);
    expect(listings.some((listing) => listing.includes('format.options'))).toBe(true);
    for (const secret of secrets) expect(listings.filter((listing) => listing.includes(secret))).toEqual([]);
    expect(looseFiles(home.path)).toEqual([]);
    expect(existsSync(stackLayout(home).kafka.formatArguments)).toBe(false);
  });

  it('writes the connection that it returns, as a file that can move with the home', () => {
    expect(loadConnection(home, loadSettings(home))).toEqual(connection);
    expect(readFileSync(home.paths.connection, 'utf8')).not.toContain(home.path);
  });

  it('gives every principal a login to both servers', async () => {
    for (const name of PRINCIPAL_NAMES) {
      const admin = kafkaClient(connection, name).admin();
      await admin.connect();
      expect((await admin.describeCluster()).brokers).toHaveLength(1);
      await admin.disconnect();
      const client = cassandraClient(connection, name);
      expect((await client.execute('SELECT release_version FROM system.local')).rowLength).toBe(1);
      await client.shutdown();
    }
  });

  it('makes audit topics that keep everything, stamped by the broker', async () => {
    const admin = kafkaClient(connection, 'operator').admin();
    await admin.connect();
    for (const name of [AUDIT_TOPIC, CHECKPOINTS_TOPIC]) {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
      });
      const settings = Object.fromEntries(
        (resources[0]?.configEntries ?? []).map((e) => [e.configName, e.configValue]),
      );
      expect(settings).toMatchObject({
        'retention.ms': '-1',
        'retention.bytes': '-1',
        'cleanup.policy': 'delete',
        'message.timestamp.type': 'LogAppendTime',
      });
    }
    const { topics } = await admin.fetchTopicMetadata({ topics: [AUDIT_TOPIC] });
    expect(topics[0]?.partitions).toHaveLength(1);
    await admin.disconnect();
  });

  it('makes no topic by being asked for one', async () => {
    const admin = kafkaClient(connection, 'operator').admin();
    await admin.connect();
    await expect(admin.fetchTopicMetadata({ topics: ['nobody-made-this'] })).rejects.toThrow();
    expect(await admin.listTopics()).not.toContain('nobody-made-this');
    await admin.disconnect();
  });

  it('runs its daemons beside the servers', async () => {
    const running = () => stackStatus(home).daemons.filter((daemon) => daemon.running);
    await waitFor(() => running().length === DAEMON_NAMES.length);
    expect(running().map(({ name }) => name)).toEqual(['notary', 'recorder', 'archiver']);
  });

  it('stays within its memory', () => {
    const status = stackStatus(home);
    const bytes = [status.supervisor, ...status.servers].reduce((sum, row) => sum + (row.memoryBytes ?? 0), 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(MEMORY_LIMIT_BYTES);
  });
});

describe('while it runs', () => {
  it('a second start changes nothing, also two at once', async () => {
    const before = pids(home);
    await expect(Promise.all([up(), up()])).resolves.toEqual([connection, connection]);
    expect(pids(home)).toEqual(before);
  });

  it('shows logs', async () => {
    const lines: string[] = [];
    for await (const line of stackLogs(home, 'kafka', { lines: 5 })) lines.push(line);
    expect(lines).toHaveLength(5);
  });

  it('starts a killed server again', async () => {
    await writeRow(connection, 1);
    const before = pids(home);
    await killProcess(home, 'cassandra');
    await up();
    const after = pids(home);
    expect(after.kafka).toBe(before.kafka);
    expect(after.cassandra).not.toBe(before.cassandra);
    expect(await readRows(connection)).toEqual([1]);
    expect(lastReplay(home)).toBeGreaterThan(0);
  });

  it('takes up new certificates', async () => {
    const before = pids(home);
    await reloadCertificates(home);
    const after = pids(home);
    expect(after.cassandra).toBe(before.cassandra);
    expect(after.kafka).not.toBe(before.kafka);
  });

  it('restarts one server', async () => {
    const before = pids(home);
    await restartServer(home, 'kafka');
    expect(pids(home).kafka).not.toBe(before.kafka);
    expect(pids(home).cassandra).toBe(before.cassandra);
  });
});

describe('stopping and starting again', () => {
  it('names who uses a port of the stack, and starts when it is free', async () => {
    await stopStack(home, { wipe: false });
    const port = readPorts(stackLayout(home).ports)?.cassandraClient ?? 0;
    const thief = await listen(port);
    await expect(up()).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(new RegExp(`${port}.*Cassandra.*${process.pid}`)) as string,
    });
    expect(stackStatus(home).supervisor.running).toBe(false);
    await new Promise((resolve) => thief.close(resolve));
    await up();
  });

  it('keeps data, and drains Cassandra on the way down', async () => {
    await writeRow(connection, 2);
    await expect(stopStack(home, { wipe: false })).resolves.toBe(true);
    await expect(stopStack(home, { wipe: false })).resolves.toBe(false);
    await up();
    expect(lastReplay(home)).toBe(0);
    expect(await readRows(connection)).toEqual([1, 2]);
  });

  it('wipes what it made', async () => {
    await stopStack(home, { wipe: true });
    expect(existsSync(home.path)).toBe(false);
  });
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
