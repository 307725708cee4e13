import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'cassandra-driver';
import { stringify } from 'yaml';
import { copyHome } from '../../../backup/home/copy-home.ts';
import { systemClock } from '../../../core/clock.ts';
import { loadConnection, loadSettings } from '../../../core/configuration.ts';
import { SECRET_FOLDER_MODE, writeFileAtomic } from '../../../core/files.ts';
import type { Home } from '../../../core/home.ts';
import { LOOPBACK_HOSTS, nameServers } from '../../../security/certs/identities.ts';
import { mintCertificates } from '../../../security/certs/mint.ts';
import { cassandraClient } from '../../../security/connect/cassandra/cassandra.ts';
import { cassandraFiles } from '../../../stack/configure-cassandra.ts';
import { embeddedConnection } from '../../../stack/connection.ts';
import { nodetool } from '../../../stack/index.ts';
import { stackLayout } from '../../../stack/layout.ts';
import { LOOPBACK, readPorts, type Ports } from '../../../stack/ports.ts';
import { jarOf, provideJars } from '../../../stack/provide/jars.ts';
import { requireJava } from '../../../stack/provide/prerequisites.ts';

/** A second node beside that of a home, as if it were on another host: with a home of its own of the same installation. */
export interface SecondNode {
  readonly home: Home;
  readonly address: string;
  /** Joins the ring, and returns when the node serves. */
  start(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

const ADDRESS = '127.0.0.2';
const PATIENCE = 150_000;
const POLL = 500;
const TOKENS = 2n ** 64n;

/** Makes the home of a second node in `path`; the first home's servers MUST run. Half of all tokens will be the second's. */
export async function secondNode(first: Home, path: string): Promise<SecondNode> {
  const firstPorts = readPorts(stackLayout(first).ports);
  if (firstPorts === undefined) throw new Error('the first node was never started');
  const home = copyHome(first, path);
  const layout = stackLayout(home);
  // The nodes of a cluster have one set of ports; JMX, which is on loopback whatever the node's address, is the exception.
  const ports = { ...firstPorts, cassandraJmx: await freePort() };
  mkdirSync(dirname(layout.ports), { recursive: true, mode: SECRET_FOLDER_MODE });
  writeFileAtomic(layout.ports, JSON.stringify(ports));
  nameServers(home, { kafka: LOOPBACK_HOSTS, cassandra: [...LOOPBACK_HOSTS, ADDRESS] });
  await mintCertificates(home, systemClock);
  writeConfiguration(home, first, ports);
  const settings = loadSettings(home);
  const [java, jars] = await Promise.all([requireJava(process.env), provideJars(process.env, () => undefined)]);
  const { folder, data, temporary, options, console: consoleFile } = layout.cassandra;
  for (const each of [layout.logs, folder, data, temporary])
    mkdirSync(each, { recursive: true, mode: SECRET_FOLDER_MODE });
  const nodeJars = { folder: jars.cassandra, agent: jarOf(jars.cassandra, 'jamm') };
  const place = { host: ADDRESS, seeds: [LOOPBACK], token: await oppositeToken(first), joins: true };
  for (const [file, content] of cassandraFiles(home, settings, ports, nodeJars, place)) writeFileAtomic(file, content);
  let server: ChildProcess | undefined;
  return {
    home,
    address: ADDRESS,
    async start() {
      const output = openSync(consoleFile, 'a');
      server = spawn(java, [`@${options}`], { cwd: folder, stdio: ['ignore', output, output] });
      await whenServing(home, server);
    },
    async kill() {
      if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
      const ended = new Promise((resolve) => server?.once('exit', resolve));
      server.kill('SIGKILL');
      await ended;
    },
  };
}

/** How many partitions of a table a home's node has files of, as it estimates. */
export async function partitionsHeld(home: Home, table: string): Promise<number> {
  const [, estimate] =
    /Number of partitions \(estimate\): (\d+)/.exec(await nodetool(home, ['tablestats', table])) ?? [];
  return Number(estimate);
}

/** A host of its own would reach the servers by their addresses, and share the store. */
function writeConfiguration(home: Home, first: Home, ports: Ports): void {
  const embedded = embeddedConnection(home, ports);
  const cassandra = { ...embedded.cassandra, contactPoints: [`${ADDRESS}:${ports.cassandraClient}`] };
  writeFileSync(
    home.paths.configuration,
    stringify({
      connection: { ...embedded, mode: 'external', cassandra },
      backup: { store: first.paths.backupStore, escrow: first.paths.escrowStore },
    }),
  );
}

/** The token half a ring away from the one with which the first node begins. */
async function oppositeToken(first: Home): Promise<string> {
  const client = cassandraClient(loadConnection(first, loadSettings(first)), 'operator');
  try {
    const { rows } = await client.execute('SELECT tokens FROM system.local');
    const [token] = [...(rows[0]?.['tokens'] as Iterable<string>)];
    return String(BigInt.asIntN(64, BigInt(token ?? 0) + TOKENS / 2n));
  } finally {
    await client.shutdown();
  }
}

async function whenServing(home: Home, server: ChildProcess): Promise<void> {
  const connection = loadConnection(home, loadSettings(home));
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const client = cassandraClient(connection, 'operator', { connectionsPerHost: 1 });
    const isServing = await answers(client).finally(() => client.shutdown());
    if (isServing) return;
    if (server.exitCode !== null) throw new Error(`the second node ended: see ${stackLayout(home).cassandra.log}`);
    if (Date.now() > deadline)
      throw new Error(`the second node does not serve: see ${stackLayout(home).cassandra.log}`);
    await sleep(POLL);
  }
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.connect();
    return client.hosts.length === 2;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, LOOPBACK, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
